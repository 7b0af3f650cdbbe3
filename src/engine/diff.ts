/**
 * Three versions of an attribute: wanted (W), last sent (S) with what Twilio returned for it (R), and actual (A).
 *
 * | W = A | W = S | A = R | meaning                                                    |
 * |-------|-------|-------|------------------------------------------------------------|
 * | yes   |       |       | equal                                                      |
 * | no    | yes   | yes   | Twilio normalises what we send: settled, nothing to do     |
 * | no    | no    | yes   | changed upstream                                           |
 * | no    | yes   | no    | changed in Twilio (drift)                                  |
 * | no    | no    | no    | changed in both                                            |
 *
 * Without S and R (never applied by us) a difference counts as changed upstream.
 */
import { normalizeEmail } from '../domain/identity.ts';
import type { AttributeChange, Reason } from '../domain/operation.ts';
import type { Policy } from '../domain/rules.ts';
import { type LastApplied, type TextAttribute, type TextAttributes, textAttributes } from '../domain/user.ts';

export type Origin = Extract<Reason, 'changed-upstream' | 'changed-in-twilio' | 'changed-in-both'>;

export interface AttributeDiff {
  readonly changes: readonly AttributeChange[];
  /** Differences that the drift policy only reports. */
  readonly drifted: readonly AttributeChange[];
  readonly origin: Origin | undefined;
}

export function diffAttributes(
  wanted: TextAttributes,
  actual: TextAttributes,
  /** Asked only when something differs: for most people nothing does. */
  lastApplied: () => LastApplied | undefined,
  drift: Policy['drift'],
): AttributeDiff {
  const changes: AttributeChange[] = [];
  const drifted: AttributeChange[] = [];
  let origin: Origin | undefined;
  for (const attribute of textAttributes) {
    const after = wanted[attribute];
    const before = actual[attribute];
    if (after === undefined || isSame(attribute, after, before)) continue;
    const cause = originOf(attribute, after, before, lastApplied());
    if (cause === undefined) continue;
    if (drift === 'report' && cause !== 'changed-upstream') {
      drifted.push({ attribute, before, after });
      continue;
    }
    changes.push({ attribute, before, after });
    origin = origin === undefined || origin === cause ? cause : 'changed-in-both';
  }
  return { changes, drifted, origin };
}

/** Undefined when the difference is Twilio's own normalisation of what we sent. */
export function originOf(
  attribute: TextAttribute,
  after: string,
  before: string | undefined,
  last: LastApplied | undefined,
): Origin | undefined {
  if (last === undefined || last.sent[attribute] === undefined) return 'changed-upstream';
  const upstream = !isSame(attribute, after, last.sent[attribute]);
  const twilio = (before ?? '') !== (last.returned[attribute] ?? '');
  if (upstream) return twilio ? 'changed-in-both' : 'changed-upstream';
  return twilio ? 'changed-in-twilio' : undefined;
}

/** Addresses are equal under the one normalisation; other texts exactly, after NFC. */
export function isSame(attribute: TextAttribute, a: string, b: string | undefined): boolean {
  if (b === undefined) return false;
  if (a === b) return true;
  if (attribute === 'userName') return normalizeEmail(a) === normalizeEmail(b);
  return a === b.normalize('NFC');
}
