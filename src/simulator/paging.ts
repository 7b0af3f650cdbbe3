import { firstAfter } from './assignment-store.ts';
import { type Failure, refuse } from './errors.ts';
import { type Answer, type Call, json, type World } from './reply.ts';

export interface PageRules {
  /** Name of the array, also in `meta.key`. */
  readonly key: string;
  readonly maxSize: number;
  readonly defaultSize: number;
}

interface Cursor {
  /** `after`: rows whose order is above; `before`: the rows that precede. */
  readonly direction: 'after' | 'before';
  readonly order: number;
}

/**
 * One page of rows, which are sorted by `order`, with the `meta` that all list endpoints share. Page tokens point to a
 * row, not to an offset, so deletions during a walk neither repeat nor skip anything.
 */
export function pageReply<Row extends { readonly order: number }>(
  world: World,
  call: Call,
  rows: readonly Row[],
  rules: PageRules,
  render: (row: Row) => unknown,
): Answer {
  const { quirks, state } = world;
  const key = quirks.collectionKey ?? rules.key;
  const asked = readNumber(call.query.get('PageSize'), 1, rules.maxSize) ?? rules.defaultSize;
  const size = Math.min(asked, quirks.pageSizeCeiling ?? asked);
  const number = readNumber(call.query.get('Page'), 0, Number.MAX_SAFE_INTEGER) ?? 0;
  if (Number.isNaN(size)) return refuse(20001, `PageSize must be 1 to ${rules.maxSize}`);
  if (Number.isNaN(number)) return refuse(20001, 'Page must be an integer from 0');
  const token = call.query.get('PageToken');
  if (token === null && number > 0) return refuse(20001, 'Page needs its PageToken');
  const unknown = quirks.unknownProperties ? { links: [], generated_by: 'simulator' } : undefined;
  if (quirks.pagingMeta === 'absent') return json(200, { ...unknown, [key]: rows.map(render) });
  const cursor =
    token === null
      ? undefined
      : readToken(token, quirks.pageTokens === 'stale-after-write' ? state.revision : undefined);
  if (cursor !== undefined && 'kind' in cursor) return cursor;

  const start = cursor === undefined ? 0 : startOf(rows, cursor, size);
  const page = rows.slice(start, start + size);
  const [first, last] = [page[0], page.at(-1)];
  const link = (at: number, to: Cursor | undefined): string =>
    linkTo(world, call, size, at, to === undefined ? undefined : writeToken(to, state.revision));
  const self = link(number, cursor);
  const hasNext = last !== undefined && start + size < rows.length;
  const next = hasNext ? link(number + 1, { direction: 'after', order: last.order }) : null;
  const previous =
    start > 0 && number > 0 && first !== undefined
      ? link(number - 1, { direction: 'before', order: first.order })
      : null;
  return json(200, {
    ...unknown,
    [key]: page.map(render),
    meta: {
      page: number,
      page_size: size,
      key,
      first_page_url: link(0, undefined),
      previous_page_url: previous,
      ...nextMember(next, self, world),
      url: self,
    },
  });
}

function nextMember(next: string | null, self: string, world: World): object {
  const { nextPageLink } = world.quirks;
  if (next !== null && nextPageLink === 'loop') return { next_page_url: self };
  if (nextPageLink === 'uri') return { next_page_uri: next === null ? null : next.slice(new URL(next).origin.length) };
  return { next_page_url: next };
}

function linkTo(world: World, call: Call, size: number, page: number, token: string | undefined): string {
  const query = new URLSearchParams(call.query);
  query.set('PageSize', String(size));
  query.set('Page', String(page));
  if (token === undefined) query.delete('PageToken');
  else query.set('PageToken', token);
  return `${world.quirks.nextPageHost ?? call.origin}${call.path}?${query}`;
}

function startOf(rows: readonly { readonly order: number }[], cursor: Cursor, size: number): number {
  if (cursor.direction === 'after') return firstAfter(rows, cursor.order);
  return Math.max(0, firstAfter(rows, cursor.order - 1) - size);
}

function writeToken(cursor: Cursor, revision: number): string {
  return Buffer.from(`${cursor.direction}:${cursor.order}:${revision}`).toString('base64url');
}

/** 25023 when the token is none of ours, or older than the last change where that matters. */
function readToken(token: string, revision: number | undefined): Cursor | Failure {
  const match = /^(after|before):(\d+):(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  if (match === null) return refuse(25023);
  const [, direction, order, written] = match;
  if (revision !== undefined && Number(written) !== revision) return refuse(25023, 'stale');
  return { direction: direction === 'after' ? 'after' : 'before', order: Number(order) };
}

/** Undefined when not sent, NaN when not an integer in the range. */
function readNumber(text: string | null, min: number, max: number): number | undefined {
  if (text === null) return undefined;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : Number.NaN;
}
