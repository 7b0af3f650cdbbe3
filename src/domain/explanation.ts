/** What the rules of the configuration say about one entry. */
import type { AttributeValue } from './entry.ts';
import type { NamedGrant } from './operation.ts';
import { type GrantKey, grantKey, type TextAttribute } from './user.ts';

/** What a condition says: true, false, or why it cannot say. */
export type Answer = boolean | { readonly problem: string };

export interface ConditionPart {
  readonly text: string;
  readonly answer: Answer;
}

export interface ExplainedAttribute {
  readonly attribute: TextAttribute | 'active';
  /** The source's attribute, or `= expression`. */
  readonly rule: string;
  /** Undefined: empty, so Twilio's value stays. */
  readonly value: string | undefined;
  readonly problem?: string;
}

export interface ExplainedRule {
  /** 1-based, as the configuration lists them. */
  readonly rule: number;
  readonly group: string | undefined;
  readonly when: string | undefined;
  readonly applies: boolean;
  /** Why it does not apply. */
  readonly because?: string;
  /** Groups on the way to the rule's, from the one that the person belongs to directly. */
  readonly via: readonly string[];
  readonly grants: readonly NamedGrant[];
}

export interface Explanation {
  /** Values that the rules ask for, by attribute. */
  readonly used: Readonly<Record<string, AttributeValue>>;
  readonly filter: { readonly answer: Answer; readonly parts: readonly ConditionPart[] };
  readonly attributes: readonly ExplainedAttribute[];
  readonly rules: readonly ExplainedRule[];
}

/** The grants that the explained rules give. */
export function grantsOf({ rules }: Explanation): ReadonlySet<GrantKey> {
  return new Set(rules.flatMap(({ applies, grants }) => (applies ? grants.map(grantKey) : [])));
}
