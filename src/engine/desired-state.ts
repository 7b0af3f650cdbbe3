/**
 * From entries to desired users, one entry at a time: an entry that is out of scope is forgotten at once, so a directory
 * costs the memory of the people in scope.
 *
 * | entry                                                    | becomes                          |
 * |----------------------------------------------------------|----------------------------------|
 * | filter false                                             | out of scope (kept when linked)  |
 * | in scope, every value usable                             | desired user                     |
 * | filter, mapping or rule does not fit its values          | held, finding `invalid`          |
 * | no immutable key                                         | its address is held, `unidentified` |
 * | a key that another entry has, in scope or not            | held, `duplicate-external-id`    |
 * | an address that another active entry in scope has        | held, `duplicate-address`        |
 *
 * Held: known to exist, so never absent, and not understood, so never changed.
 */
import type { Entry, Location } from '../domain/entry.ts';
import { compareStrings, type Email, type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { Finding, FindingCode } from '../domain/plan.ts';
import type { DesiredGrant, DesiredUser } from '../domain/user.ts';
import type { CompiledRules } from './compile.ts';
import { collectGrants, type Entitlements } from './entitlements.ts';
import { ExpressionError } from './expression.ts';
import { createFingerprints } from './fingerprints.ts';

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
  accept(entry: Entry): void;
  finish(): DesiredState;
}

/** Findings of one kind beyond this number are counted, not listed: a million broken rows must not fill the memory. */
const listed = 1_000;

export function buildDesiredState(
  rules: CompiledRules,
  entitlements: Entitlements,
  isLinked: (externalId: ExternalId) => boolean,
): DesiredStateBuilder {
  const users = new Map<ExternalId, DesiredUser>();
  const held = new Set<ExternalId>();
  const heldAddresses = new Set<Email>();
  const outOfScope = new Set<ExternalId>();
  const outside = createFingerprints();
  const locations = new Map<ExternalId, Location[]>();
  const findings: Finding[] = [];
  const tally = new Map<FindingCode, number>();
  const grantsOf = rememberGrants(entitlements);
  let entries = 0;
  let inScope = 0;

  function report(finding: Finding): void {
    const count = (tally.get(finding.code) ?? 0) + 1;
    tally.set(finding.code, count);
    if (count <= listed) findings.push(finding);
  }

  function hold(externalId: ExternalId, entry: Entry, problem: string): void {
    held.add(externalId);
    users.delete(externalId);
    const message = `${entry.location}: ${problem}; left as it is in Twilio until the source is corrected`;
    report({ code: 'invalid', externalId, message });
  }

  function acceptUnidentified(entry: Entry): void {
    const mapped = rules.mapping.map(entry);
    const address = 'attributes' in mapped ? normalizeEmail(mapped.attributes.userName) : undefined;
    if (address !== undefined) heldAddresses.add(address);
    report({
      code: 'unidentified',
      externalId: '',
      ...(address !== undefined && { userName: address }),
      message: `${entry.location}: the entry has no immutable key, so nobody can say who it is; give it one in the source`,
    });
  }

  function desire(externalId: ExternalId, entry: Entry): void {
    if (externalId.length < 2 || externalId.length > 255) {
      hold(externalId, entry, `the key has ${externalId.length} characters, Twilio takes 2 to 255`);
      return;
    }
    const mapped = rules.mapping.map(entry);
    if ('invalid' in mapped) {
      hold(externalId, entry, mapped.invalid.join('; '));
      return;
    }
    users.set(externalId, { externalId, ...mapped, grants: grantsOf(rules, entry), location: entry.location });
  }

  /** The filter and the rules decide on the same footing: values that fit neither hold the person. */
  function decide(externalId: ExternalId, entry: Entry): void {
    const known = users.get(externalId);
    try {
      if (!rules.inScope(entry)) {
        outside.add(externalId);
        if (isLinked(externalId)) outOfScope.add(externalId);
        return;
      }
      inScope++;
      if (known !== undefined || held.has(externalId) || locations.has(externalId)) {
        const places = locations.get(externalId) ?? (known ? [known.location] : []);
        locations.set(externalId, [...places, entry.location]);
        return;
      }
      desire(externalId, entry);
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      hold(externalId, entry, `a rule does not fit its values: ${error.message}`);
    }
  }

  /** A key that stands in scope twice, or once in scope and once outside, contradicts itself. */
  function holdSharedKeys(): void {
    for (const [externalId, user] of users) {
      if (outside.has(externalId) && !locations.has(externalId)) {
        locations.set(externalId, [user.location, 'another entry that is out of scope']);
      }
    }
    for (const [externalId, places] of locations) {
      users.delete(externalId);
      held.add(externalId);
      const message = `the key ${externalId} stands in ${places.join(' and ')}; none of them is touched until the source has it once`;
      report({ code: 'duplicate-external-id', externalId, message });
    }
    for (const externalId of held) outOfScope.delete(externalId);
  }

  function holdSharedAddresses(): void {
    const holders = new Map<string, DesiredUser>();
    const shared = new Map<string, DesiredUser[]>();
    for (const user of users.values()) {
      if (!user.active) continue;
      const { userName } = user.attributes;
      const first = holders.get(userName);
      if (first === undefined) holders.set(userName, user);
      else shared.set(userName, [...(shared.get(userName) ?? [first]), user]);
    }
    for (const [userName, people] of shared) {
      const places = people.map((user) => `${user.externalId} (${user.location})`).sort(compareStrings);
      for (const { externalId } of people) {
        users.delete(externalId);
        held.add(externalId);
        const message = `the address ${userName} belongs to ${places.join(' and ')}; none of them is touched until the source gives it to one`;
        report({ code: 'duplicate-address', externalId, userName, message });
      }
    }
  }

  return {
    accept(entry) {
      entries++;
      if (entry.id === '') acceptUnidentified(entry);
      else decide(entry.id, entry);
    },
    finish() {
      holdSharedKeys();
      holdSharedAddresses();
      for (const [code, count] of tally) {
        if (count > listed) {
          findings.push({ code, externalId: '', message: `and ${count - listed} more entries like these` });
        }
      }
      return { users, held, heldAddresses, outOfScope, findings, entries, inScope };
    },
  };
}

/** People to whom the same rules apply share one array of grants. */
function rememberGrants(entitlements: Entitlements): (rules: CompiledRules, entry: Entry) => readonly DesiredGrant[] {
  const known = new Map<string, readonly DesiredGrant[]>();
  return (rules, entry) => {
    const applied: { rule: number; because: string }[] = [];
    rules.entitle(entry, (rule, because) => applied.push({ rule, because }));
    const key = applied.map(({ rule }) => rule).join();
    const grants = known.get(key) ?? collectGrants(entitlements, applied);
    known.set(key, grants);
    return grants;
  };
}
