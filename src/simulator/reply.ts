import type { IncomingHttpHeaders } from 'node:http';
import type { Failure } from './errors.ts';
import type { Quirks } from './quirks.ts';
import type { SimulatorState } from './state.ts';

/** An answer before it is sent. */
export interface Reply {
  readonly kind: 'reply';
  readonly status: number;
  /** Unset when there is no body. */
  readonly contentType?: string;
  /** Chunks are made while they are sent, so that a list of any length costs little memory. */
  readonly body?: string | Iterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export type Answer = Reply | Failure;

/** What a request brought. */
export type Body =
  | { readonly form: 'none' }
  | { readonly form: 'json'; readonly value: unknown }
  | { readonly form: 'urlencoded'; readonly value: Readonly<Record<string, string>> }
  /** Not what the content type promises, or of a type that is not accepted. */
  | { readonly form: 'malformed'; readonly reason: string };

export interface Call {
  readonly method: string;
  readonly path: string;
  /** Variable parts of the path. */
  readonly params: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Body;
  /** Scheme, host and port that the client asked for, which links in answers repeat. */
  readonly origin: string;
}

/** What every handler stands on. */
export interface World {
  readonly state: SimulatorState;
  readonly quirks: Quirks;
  readonly limits: Limits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface Limits {
  /** Requests let through in any window of one second; null for no limit. The token endpoint does not count. */
  requestsPerSecond: number | null;
  /** Requests under way at once; null for no limit. The token endpoint does not count. */
  maxConcurrent: number | null;
  /** Milliseconds between arrival and effect. */
  latency: number;
  /** Seconds that an access token lives. */
  tokenLifetime: number;
}

export const scimJson = 'application/scim+json';

export function json(status: number, body: unknown, contentType = 'application/json'): Reply {
  return { kind: 'reply', status, contentType, body: JSON.stringify(body) };
}

/** The answer to a delete that went through. */
export function deleted(quirks: Quirks): Reply {
  return quirks.deleteStatus === 200 ? json(200, { deleted: true }) : { kind: 'reply', status: quirks.deleteStatus };
}
