/** What a refusal concerns that is not about one person: `quota`, or `domain` and its name. */
export type BlockKey = 'quota' | `domain ${string}`;

/** Nothing that meets this block is sent before `retryAt`. */
export interface Blocked {
  readonly key: BlockKey;
  /** Milliseconds since the epoch. */
  readonly since: number;
  /** Runs that were refused in a row. */
  readonly attempts: number;
  /** Milliseconds since the epoch. */
  readonly retryAt: number;
}

export const quota: BlockKey = 'quota';

/** A clause that says what Twilio refuses, and to whom. */
export function refusalText(key: BlockKey): string {
  return key === quota
    ? 'the organization may hold no more users (25007)'
    : `Twilio has not verified the domain ${key.slice('domain '.length)} for this organization (25017)`;
}
