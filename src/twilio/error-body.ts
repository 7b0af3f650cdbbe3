/** Reads every shape in which Twilio, its OAuth service or an edge proxy reports an error; never throws. */
import { withoutSecrets } from '../domain/secret.ts';
import type { HttpAnswer } from './http-client.ts';

export interface ErrorBody {
  /** Twilio's error code (Twilio documentation, "Errors and warnings dictionary"). */
  readonly code?: number;
  readonly message?: string;
  /** RFC 7644 section 3.12. */
  readonly scimType?: string;
  /** `error` of RFC 6749 section 5.2, where it is a word. */
  readonly oauthError?: string;
  /** As sent. */
  readonly throttledUntil?: string;
}

/**
 * Shapes: SCIM (`detail`, `status` as text, `moreInfo`), Twilio (`message`, `more_info`), Twilio service (`moreInfo`),
 * with `params` or `throttled_until`, OAuth (RFC 6749 section 5.2), HTML, plain text, nothing. The content type is not asked.
 * `secrets`: what was sent with the request, which an answer may repeat; it is taken out in any form before anything is cut off.
 */
export function parseErrorBody(text: string, secrets: readonly string[] = []): ErrorBody {
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fromText(text, secrets);
  const body = value as Readonly<Record<string, unknown>>;
  const code = codeOf(body.code);
  const message = firstText(body.detail, body.message, body.error_description, body.error, body.title);
  const scimType = firstText(body.scimType);
  const throttledUntil = firstText(body.throttled_until, body.throttledUntil);
  const oauthError = firstText(body.error);
  return {
    ...(code !== undefined && { code }),
    ...(message !== undefined && { message: forMessage(message, secrets) }),
    ...(scimType !== undefined && { scimType: forMessage(scimType, secrets) }),
    ...(oauthError !== undefined && /^\w+$/.test(oauthError) && { oauthError }),
    ...(throttledUntil !== undefined && { throttledUntil }),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An HTML page is reduced to its title, other text to its beginning. */
function fromText(text: string, secrets: readonly string[]): ErrorBody {
  const title = /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1];
  const plain = title ?? (/^\s*</.test(text) ? '' : text);
  const message = forMessage(plain, secrets);
  return message === '' ? {} : { message };
}

function codeOf(value: unknown): number | undefined {
  const code = typeof value === 'string' && /^\d{4,6}$/.test(value) ? Number(value) : value;
  return typeof code === 'number' && Number.isSafeInteger(code) ? code : undefined;
}

function firstText(...values: readonly unknown[]): string | undefined {
  return values.find((value): value is string => typeof value === 'string' && value.trim() !== '');
}

/** Headers that become part of messages may repeat what was sent as well. */
export function headersWithoutSecrets(answer: HttpAnswer, secrets: readonly string[]): HttpAnswer {
  const clean = (text: string | undefined) => (text === undefined ? undefined : withoutSecrets(text, secrets, ''));
  return { ...answer, location: clean(answer.location), requestId: clean(answer.requestId) };
}

const longestMessage = 300;

/** Text of others made fit for one line of ours: no control characters, no secret, nothing that looks like a token, not long. */
export function forMessage(text: string, secrets: readonly string[] = []): string {
  const line = withoutSecrets(text, secrets)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replace(/\beyJ[\w-]{4,}(?:\.[\w-]*){0,2}/g, '[token]')
    .replace(/\bbearer\s+\S+/gi, 'Bearer [token]')
    .trim();
  return line.length > longestMessage ? `${line.slice(0, longestMessage)}…` : line;
}
