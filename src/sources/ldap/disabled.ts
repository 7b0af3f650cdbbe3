/**
 * Which accounts may not be used, read from the attributes in which directories say so.
 *
 * | rule                 | attribute            | disabled                          | not disabled                    |
 * |----------------------|----------------------|-----------------------------------|---------------------------------|
 * | userAccountControl   | userAccountControl   | bit 2 is set                      | it is not                       |
 * |                      | accountExpires       | a time that has come              | 0, 2^63-1, a later time, absent |
 * | nsAccountLock        | nsAccountLock        | true                              | false, absent                   |
 * | pwdAccountLockedTime | pwdAccountLockedTime | the instant 0000-01-01 00:00 UTC  | any other instant, absent       |
 *
 * Whatever stands there besides is a problem: it says neither, so nobody is disabled or kept active by it. `lockoutTime`, and a
 * pwdAccountLockedTime that is a real instant, mean too many wrong passwords; they pass, and cost nobody their access.
 */
import type { AttributeValue } from '../../domain/entry.ts';
import type { DisabledRule } from '../../domain/ldap-options.ts';

/** `problem`: a clause naming attribute and value. */
export type Standing = 'usable' | 'disabled' | { readonly problem: string };

export interface AccountRule {
  /** What must be asked for. */
  readonly attributes: readonly string[];
  /** What must be on every account; its absence is a problem. */
  readonly required: string | undefined;
  /** `read` gives the value of one of `attributes`. */
  standing(read: (attribute: string) => AttributeValue | undefined): Standing;
}

/** `now`: milliseconds since the epoch, for accounts that expire. */
export function accountRule(rule: DisabledRule, now: number): AccountRule | undefined {
  if (rule === 'none') return undefined;
  if (rule === 'userAccountControl') return activeDirectoryRule(now);
  const decide = rule === 'nsAccountLock' ? readNsAccountLock : readLockedTime;
  return { attributes: [rule], required: undefined, standing: (read) => judge(rule, read(rule), decide) };
}

function activeDirectoryRule(now: number): AccountRule {
  return {
    attributes: ['userAccountControl', 'accountExpires'],
    required: 'userAccountControl',
    standing(read) {
      const control = read('userAccountControl');
      const byControl: Standing =
        control === undefined
          ? { problem: 'userAccountControl is absent, so nobody can say whether the account is disabled' }
          : judge('userAccountControl', control, readControl);
      const byExpiry = judge('accountExpires', read('accountExpires'), (text) => readExpiry(text, now));
      // One clear sign is enough, whatever the other attribute holds.
      if (byControl === 'disabled' || byExpiry === 'disabled') return 'disabled';
      return byControl === 'usable' ? byExpiry : byControl;
    },
  };
}

/** `decide` says undefined to what it does not understand. */
function judge(
  attribute: string,
  value: AttributeValue | undefined,
  decide: (text: string) => boolean | undefined,
): Standing {
  if (value === undefined) return 'usable';
  if (typeof value !== 'string') return { problem: `${attribute} holds ${value.length} values` };
  const disabled = decide(value.trim());
  if (disabled === undefined)
    return { problem: `${attribute} holds ${JSON.stringify(value)}, which cannot be understood` };
  return disabled ? 'disabled' : 'usable';
}

const accountDisable = 0x2;

/** A signed 32-bit integer of flags (MS-ADTS section 2.2.16). */
function readControl(text: string): boolean | undefined {
  const flags = /^-?\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (!(flags >= -(2 ** 31) && flags < 2 ** 32)) return undefined;
  return (flags & accountDisable) !== 0;
}

const never = 2n ** 63n - 1n;
/** From the first instant of 1601 to the first of 1970, in milliseconds. */
const epochOffsetMs = 11_644_473_600_000n;

/** Intervals of 100 ns since 1601 (MS-ADA1 section 2.1 with MS-DTYP section 2.3.3). */
function readExpiry(text: string, now: number): boolean | undefined {
  if (!/^\d{1,19}$/.test(text)) return undefined;
  const fileTime = BigInt(text);
  if (fileTime > never) return undefined;
  if (fileTime === 0n || fileTime === never) return false;
  return fileTime / 10_000n - epochOffsetMs <= BigInt(Math.trunc(now));
}

function readNsAccountLock(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'true' ? true : word === 'false' ? false : undefined;
}

/** Generalized time (RFC 4517 section 3.3.13). The year 0000 means locked until an administrator unlocks the account. */
function readLockedTime(text: string): boolean | undefined {
  if (/^0000010100(?:00)?(?:00)?(?:[.,]0+)?Z$/.test(text)) return true;
  return /^(?!0000)\d{10}(?:\d{2}){0,2}(?:[.,]\d+)?(?:Z|[+-]\d{2}(?:\d{2})?)$/.test(text) ? false : undefined;
}
