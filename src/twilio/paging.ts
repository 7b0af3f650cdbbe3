/** Follows page links (Twilio documentation, "Role assignment resource"), and never sends the token to another host. */
import { TargetContractError } from '../errors.ts';
import { contractError, understand } from './answers.ts';
import type { ApiClient, ApiRequest } from './api-client.ts';
import type { Asked } from './failures.ts';
import { isObject, parseObject, textOf, UnexpectedAnswer, type WireObject } from './wire.ts';

/**
 * Where the next page is; undefined on the last one. A link to the configured origin is followed as it stands. Of any
 * other link (Twilio may name its other host) only the page parameters are taken, and put on the current URL.
 */
export function nextPage(current: URL, body: WireObject): URL | undefined {
  const meta = isObject(body.meta) ? body.meta : {};
  const link =
    textOf(meta.next_page_url) ??
    textOf(meta.next_page_uri) ??
    textOf(body.next_page_url) ??
    textOf(body.next_page_uri);
  if (link === undefined) return undefined;
  const next = URL.parse(link, current.href);
  if (next === null) throw new UnexpectedAnswer('the link to the next page is not a URL');
  if (next.origin === current.origin && next.username === '' && next.password === '') {
    next.hash = '';
    return next;
  }
  const rebuilt = new URL(current);
  let named = false;
  for (const parameter of ['PageToken', 'Page', 'PageSize']) {
    const value = next.searchParams.get(parameter);
    if (value === null) continue;
    rebuilt.searchParams.set(parameter, value);
    named ||= parameter !== 'PageSize';
  }
  if (!named) throw new UnexpectedAnswer(`the next page is on ${next.host} and its link has no page parameters`);
  return rebuilt;
}

/** What Twilio's descriptions call the array of a page. */
const usualKeys = ['content', 'roles'];

/**
 * The rows of a page: `meta.key` names their array, else it has one of the usual names, else it is the only array, or the only
 * one with something in it: answers may have properties that nobody has described.
 */
export function rowsOf(body: WireObject): readonly unknown[] {
  const key = isObject(body.meta) ? textOf(body.meta.key) : undefined;
  for (const name of key === undefined ? usualKeys : [key, ...usualKeys]) {
    const named = body[name];
    if (Array.isArray(named)) return named;
  }
  const arrays: readonly (readonly unknown[])[] = Object.values(body).filter((value) => Array.isArray(value));
  const filled = arrays.filter(({ length }) => length > 0);
  const [only] = filled.length === 0 ? arrays : filled;
  if (only === undefined || filled.length > 1) throw new UnexpectedAnswer('no list in the page');
  return only;
}

/** An endless chain of ever new tokens has to end somewhere: two million rows. */
const mostPages = 20_000;
const mostRows = 2_000_000;
/** 25023: the page token went stale, so the listing starts again. */
const staleToken = 25023;
const mostRestarts = 2;

/**
 * Hands over each row of each page, once: rows that move to a later page while we read, or come again after a restart,
 * are told by `keyOf`. Rows that `read` makes nothing of are left out. Throws TargetError, or the signal's reason.
 */
export async function readPages<Row>(
  api: ApiClient,
  request: Pick<ApiRequest, 'endpoint' | 'url' | 'urgency' | 'signal'>,
  read: (row: unknown) => Row | undefined,
  keyOf: (row: Row) => string,
  onRow: (row: Row) => void,
): Promise<void> {
  const handed = new Set<string>();
  for (let restarts = 0; ; restarts++) {
    try {
      await walk();
      return;
    } catch (error) {
      const stale = error instanceof TargetContractError && error.twilioCode === staleToken;
      if (!stale || restarts === mostRestarts) throw error;
      api.logger.warn({ path: request.endpoint.template }, 'Twilio calls the page token stale; listing again');
    }
  }

  async function walk(): Promise<void> {
    const visited = new Set<string>();
    let url: URL | undefined = request.url;
    while (url !== undefined) {
      const asked: Asked = { endpoint: request.endpoint, url };
      if (visited.has(url.href)) throw contractError(asked, undefined, 'the page links go round in a circle');
      if (visited.size === mostPages) throw contractError(asked, undefined, `more than ${mostPages} pages`);
      visited.add(url.href);
      const answer = await api.expect({ ...request, url });
      const page = understand(asked, answer, () => parsePage(answer.text, asked.url, read));
      for (const row of page.rows) {
        const key = keyOf(row);
        if (handed.has(key)) continue;
        if (handed.size === mostRows) throw contractError(asked, answer, `more than ${mostRows} rows`);
        handed.add(key);
        onRow(row);
      }
      url = page.next;
    }
  }
}

function parsePage<Row>(
  text: string,
  current: URL,
  read: (row: unknown) => Row | undefined,
): { readonly rows: readonly Row[]; readonly next: URL | undefined } {
  const body = parseObject(text);
  const rows = rowsOf(body).flatMap((each) => {
    const row = read(each);
    return row === undefined ? [] : [row];
  });
  return { rows, next: nextPage(current, body) };
}
