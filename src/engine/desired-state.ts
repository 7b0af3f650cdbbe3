/**
 * From entries to desired users, one entry at a time: an entry that is out of scope is forgotten at once, so a directory
 * costs the memory of the people in scope.
 *
 * | entry                                                    | becomes                          |
 * |----------------------------------------------------------|----------------------------------|
 * | filter false                                             | out of scope (kept when linked)  |
 * | in scope, every value usable                             | desired user                     |
 * | in scope, disabled by the source or by `attributes.active` | desired user, not active, whatever its other values |
 * | disabled by the source, and the filter does not fit      | the same: there is no doubt about that account |
 * | a value that the source could not read                   | held, finding `invalid`, whatever the filter says |
 * | filter, mapping or rule does not fit its values          | held, finding `invalid`          |
 * | in scope, no immutable key                               | its address is held, `unidentified` |
 * | a key that another entry has, in scope or not            | held, `duplicate-external-id`    |
 * | an address that another active entry in scope has        | held, `duplicate-address`        |
 *
 * Held: known to exist, so never absent, and not understood, so never changed.
 */
import type { Entry, Location } from '../domain/entry.ts';
import { compareStrings, type Email, type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { Finding } from '../domain/plan.ts';
import type { DesiredGrant, DesiredUser } from '../domain/user.ts';
import type { CompiledRules } from './compile.ts';
import { type AppliedRule, collectGrants, type Entitlements } from './entitlements.ts';
import { ExpressionError } from './expression.ts';
import { createFindingList } from './finding-list.ts';
import { createFingerprints } from './fingerprints.ts';
import { type Namesake, sharedAddresses } from './shared-addresses.ts';

export interface DesiredState {
  readonly users: ReadonlyMap<ExternalId, DesiredUser>;
  readonly held: ReadonlySet<ExternalId>;
  /** Addresses of entries without a key: their owners are not absent. */
  readonly heldAddresses: ReadonlySet<Email>;
  /** Linked people whose entry exists and is out of scope. */
  readonly outOfScope: ReadonlySet<ExternalId>;
  readonly findings: readonly Finding[];
  readonly entries: number;
  readonly inScope: number;
}

export interface DesiredStateBuilder {
  /** Whether the entry is about somebody whom a plan may be about: in scope, not understood, or linked. */
  accept(entry: Entry): boolean;
  finish(): DesiredState;
}

/** What keeps an entry from being understood. */
interface Problem {
  readonly problem: string;
}

export function buildDesiredState(
  rules: CompiledRules,
  entitlements: Entitlements,
  isLinked: (externalId: ExternalId) => boolean,
): DesiredStateBuilder {
  const users = new Map<ExternalId, DesiredUser>();
  const held = new Set<ExternalId>();
  const keyless: Namesake[] = [];
  const outOfScope = new Set<ExternalId>();
  const outside = createFingerprints();
  /** Where each key stands that is held, or stands more than once. */
  const places = new Map<ExternalId, Location[]>();
  const findings = createFindingList();
  const grantsOf = rememberGrants(entitlements);
  let entries = 0;
  let inScope = 0;

  function acceptUnidentified(entry: Entry): void {
    const mapped = rules.mapping.map(entry);
    const address = 'attributes' in mapped ? normalizeEmail(mapped.attributes.userName) : '';
    if (address !== '' && 'active' in mapped)
      keyless.push({ address, active: mapped.active, location: entry.location });
    findings.add({
      code: 'unidentified',
      externalId: '',
      ...(address !== '' && { userName: address }),
      message: `${entry.location}: the entry has no immutable key, so nobody can say who it is; give it one in the source`,
    });
  }

  function desire(externalId: ExternalId, entry: Entry): DesiredUser | Problem {
    if (externalId.length < 2 || externalId.length > 255) {
      return { problem: `the key has ${externalId.length} characters, Twilio takes 2 to 255` };
    }
    const mapped = rules.mapping.map(entry);
    if ('invalid' in mapped) return { problem: mapped.invalid.join('; ') };
    const grants = mapped.active ? grantsOf(rules, entry) : [];
    return { externalId, ...mapped, grants, location: entry.location };
  }

  /** The filter and the rules decide on the same footing: values that fit neither hold the person. */
  function judge(entry: Entry): DesiredUser | Problem | 'outside' | 'unidentified' {
    const problem = entry.disabled === true ? undefined : entry.problem;
    try {
      const isInScope = scopeOf(entry);
      if (!isInScope && problem === undefined) return 'outside';
      if (entry.id === '') return 'unidentified';
      if (isInScope) inScope++;
      return problem === undefined ? desire(entry.id, entry) : { problem };
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      if (entry.id === '') return 'unidentified';
      return { problem: problem ?? `a rule does not fit its values: ${error.message}` };
    }
  }

  /** Values that do not fit the filter must not keep the access of a disabled account alive. */
  function scopeOf(entry: Entry): boolean {
    try {
      return rules.inScope(entry);
    } catch (error) {
      if (entry.disabled === true && error instanceof ExpressionError) return true;
      throw error;
    }
  }

  function leaveOut({ id }: Entry): boolean {
    if (id === '') return false;
    outside.add(id);
    if (!isLinked(id)) return false;
    outOfScope.add(id);
    return true;
  }

  function take(externalId: ExternalId, { location }: Entry, judged: DesiredUser | Problem): void {
    const known = users.get(externalId);
    const earlier = places.get(externalId) ?? (known ? [known.location] : []);
    if ('problem' in judged) {
      const message = `${location}: ${judged.problem}; left as it is in Twilio until the source is corrected`;
      findings.add({ code: 'invalid', externalId, message });
    } else if (earlier.length === 0) {
      users.set(externalId, judged);
      return;
    }
    places.set(externalId, [...earlier, location]);
    users.delete(externalId);
    held.add(externalId);
  }

  /** A key that stands in scope twice, or once in scope and once outside, contradicts itself. */
  function holdSharedKeys(): void {
    for (const [externalId, { location }] of users) {
      if (outside.has(externalId)) places.set(externalId, [location, 'another entry that is out of scope']);
    }
    for (const [externalId, where] of places) {
      users.delete(externalId);
      held.add(externalId);
      if (where.length < 2) continue;
      const message = `the key ${externalId} stands in ${where.sort(compareStrings).join(' and ')}; none of them is touched until the source has it once`;
      findings.add({ code: 'duplicate-external-id', externalId, message });
    }
    for (const externalId of held) outOfScope.delete(externalId);
  }

  function holdSharedAddresses(): void {
    for (const finding of sharedAddresses(users.values(), keyless)) {
      findings.add(finding);
      if (finding.externalId === '') continue;
      users.delete(finding.externalId);
      held.add(finding.externalId);
    }
  }

  return {
    accept(entry) {
      entries++;
      const judged = judge(entry);
      if (judged === 'outside') return leaveOut(entry);
      if (judged === 'unidentified' || entry.id === '') acceptUnidentified(entry);
      else take(entry.id, entry, judged);
      return entry.id !== '';
    },
    finish() {
      holdSharedKeys();
      holdSharedAddresses();
      const heldAddresses = new Set(keyless.map(({ address }) => address));
      return { users, held, heldAddresses, outOfScope, findings: findings.finish(), entries, inScope };
    },
  };
}

/** People to whom the same rules apply, on the same ways through groups, share one array of grants. */
function rememberGrants(entitlements: Entitlements): (rules: CompiledRules, entry: Entry) => readonly DesiredGrant[] {
  const known = new Map<string, readonly DesiredGrant[]>();
  const ways = new Map<readonly string[], number>();
  const numberOf = (way: readonly string[]): number => {
    const number = ways.get(way) ?? ways.size;
    ways.set(way, number);
    return number;
  };
  return (rules, entry) => {
    const applied: AppliedRule[] = [];
    rules.entitle(entry, (rule, because, via) => applied.push({ rule, because, via }));
    const key = applied.map(({ rule, via }) => (via === undefined ? rule : `${rule}/${numberOf(via)}`)).join();
    const grants = known.get(key) ?? collectGrants(entitlements, applied);
    known.set(key, grants);
    return grants;
  };
}
