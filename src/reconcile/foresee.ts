/** What the next run would do about one person, from what the snapshot knows: nobody is asked. */
import type { Entry } from '../domain/entry.ts';
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { Plan } from '../domain/plan.ts';
import type { Rules } from '../domain/rules.ts';
import type { RoleAssignment, TwilioUser } from '../domain/user.ts';
import type { CompiledRules } from '../engine/compile.ts';
import { indexLinks, indexUsers } from '../engine/correlate.ts';
import { buildDesiredState } from '../engine/desired-state.ts';
import { type Entitlements, resolveEntitlements } from '../engine/entitlements.ts';
import { knowGrants } from '../engine/grant-records.ts';
import { makePlan } from '../engine/planner.ts';
import type { SnapshotStore } from '../ports.ts';

export interface Foresight {
  readonly entitlements: Entitlements;
  readonly assignments: readonly RoleAssignment[];
  readonly isOwn: (assignment: RoleAssignment) => boolean;
  readonly user: TwilioUser | undefined;
  /** For this person alone. */
  readonly plan: Pick<Plan, 'operations' | 'findings'>;
}

/** `entry` undefined: the source holds none. `now` in milliseconds since the epoch decides which refusals may be tried again. */
export function foresee(
  rules: Rules,
  compiled: CompiledRules,
  store: SnapshotStore,
  externalId: ExternalId,
  entry: Entry | undefined,
  now: number,
): Foresight {
  const accounts = store.accounts();
  const { entitlements } = resolveEntitlements(rules.roles, store.roles(), accounts, rules.organization);
  const links = indexLinks(store.links());
  const listed: TwilioUser[] = [];
  store.users((user) => listed.push(user));
  const users = indexUsers(listed);
  const sid = links.byExternalId.get(externalId);
  const assignments = sid === undefined ? [] : [...store.assignments()].filter(({ user }) => user === sid);
  const assignmentsOf = (user: UserSid) => (user === sid ? assignments : []);
  const records = [...store.grantRecords()].filter(({ user }) => user === sid);
  const grants = knowGrants(records, assignmentsOf, entitlements.named, new Set());
  const builder = buildDesiredState(compiled, entitlements, (key) => links.byExternalId.has(key));
  if (entry !== undefined) builder.accept(entry);
  const parked = [...store.parked()].map((each) => [each.externalId, each] as const);
  const { plan } = makePlan({
    policy: rules.policy,
    desired: builder.finish(),
    users,
    links,
    knowledge: {
      assignmentsOf,
      ...grants,
      lastApplied: (key) => store.lastApplied(key),
      owners: new Set((accounts ?? []).flatMap((account) => account.owner ?? [])),
      justCreated: () => false,
      released: store.released(),
    },
    absences: store.absences(),
    parked: new Map(parked),
    blocked: new Map(store.blocks().map((each) => [each.key, each])),
    begun: new Set(),
    owed: rules.policy.mode === 'create-only' ? store.owedGrants() : new Set(),
    breaker: store.breaker(),
    nameOf: entitlements.nameOf,
    configuration: '',
    now,
    only: new Set([externalId]),
  });
  return {
    entitlements,
    assignments,
    isOwn: ({ sid: assignment }) => grants.recordOf(assignment)?.origin === 'granted',
    user: sid === undefined ? undefined : users.bySid.get(sid),
    plan: { operations: plan.operations, findings: plan.findings },
  };
}
