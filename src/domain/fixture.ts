import type { Entry } from './entry.ts';
import type { FindingCode } from './plan.ts';
import type { TextAttribute } from './user.ts';

/** Findings that one entry alone can come to; the others take a second entry, or Twilio. */
export const fixtureFindings = ['invalid', 'unidentified'] as const satisfies readonly FindingCode[];
export type FixtureFinding = (typeof fixtureFindings)[number];

/** A grant as the configuration writes it. */
export interface WrittenGrant {
  readonly role: string;
  readonly scope: string;
}

/** What the rules are expected to make of an entry. What is undefined is not looked at. */
export type Expectation =
  | { readonly result: 'out-of-scope' }
  | { readonly result: 'finding'; readonly code: FixtureFinding; readonly message: string | undefined }
  | {
      readonly result: 'user';
      /** Null: must have no value. */
      readonly attributes: Readonly<Partial<Record<TextAttribute, string | null>>>;
      readonly active: boolean;
      /** These and no others. */
      readonly grants: readonly WrittenGrant[] | undefined;
    };

/** An entry made up for a test of the rules, with what is expected of it. */
export interface Fixture {
  /** For people. */
  readonly name: string;
  /** 1-based, in its file. */
  readonly line: number;
  readonly entry: Entry;
  readonly expected: Expectation;
}

/** One thing that is not as expected. */
export interface Difference {
  /** `result`, `active`, `finding`, `grant`, or an attribute. */
  readonly what: string;
  /** Null: nothing. */
  readonly expected: string | null;
  readonly actual: string | null;
  /** The rule that gives a grant which is not expected. */
  readonly because?: string;
}
