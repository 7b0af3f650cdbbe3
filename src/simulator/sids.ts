/** Twilio's identifiers: two letters for the kind of thing and 32 hex digits. */

export type SidPrefix = 'OR' | 'US' | 'AC' | 'IX' | 'IY' | 'OQ' | 'RQ';

/** The n-th SID of its kind: counted, not drawn, so that a rehearsal repeats exactly. */
export function sidOf(prefix: SidPrefix, n: number): string {
  return prefix + n.toString(16).padStart(32, '0');
}

/** Patterns of the OpenAPI description: lower-case digits behind a known prefix. */
export const sidPatterns: Readonly<Record<SidPrefix, RegExp>> = {
  OR: /^OR[0-9a-f]{32}$/,
  US: /^US[0-9a-f]{32}$/,
  AC: /^AC[0-9a-f]{32}$/,
  IX: /^IX[0-9a-f]{32}$/,
  IY: /^IY[0-9a-f]{32}$/,
  OQ: /^OQ[0-9a-f]{32}$/,
  RQ: /^RQ[0-9a-f]{32}$/,
};

/** The looser pattern that `scope` and `identity` have in requests. */
export const anySid = /^[A-Z]{2}[0-9a-fA-F]{32}$/;

/** Hands out SIDs that nobody has yet. */
export class SidCounter {
  readonly #prefix: SidPrefix;
  readonly #taken: (sid: string) => boolean;
  #next = 1;

  constructor(prefix: SidPrefix, taken: (sid: string) => boolean) {
    this.#prefix = prefix;
    this.#taken = taken;
  }

  next(): string {
    for (;;) {
      const sid = sidOf(this.#prefix, this.#next++);
      if (!this.#taken(sid)) return sid;
    }
  }
}
