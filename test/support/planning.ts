/** Plans a situation that a test writes down, through the same functions as a run. */

import type { Blocked } from '../../src/domain/blocked.ts';
import type { OpenBreaker } from '../../src/domain/breaker.ts';
import type { Entry } from '../../src/domain/entry.ts';
import { type Email, type ExternalId, normalizeEmail, type UserSid } from '../../src/domain/identity.ts';
import type { Operation } from '../../src/domain/operation.ts';
import type { Finding, FindingCode } from '../../src/domain/plan.ts';
import type { Rules } from '../../src/domain/rules.ts';
import type {
  Account,
  Grant,
  GrantRecord,
  LastApplied,
  Link,
  RoleAssignment,
  TwilioUser,
} from '../../src/domain/user.ts';
import { compileRules } from '../../src/engine/compile.ts';
import { indexUsers, type Links } from '../../src/engine/correlate.ts';
import { buildDesiredState, type DesiredState } from '../../src/engine/desired-state.ts';
import { resolveEntitlements } from '../../src/engine/entitlements.ts';
import { holderKey, knowGrants } from '../../src/engine/grant-records.ts';
import { makePlan, type PlanInput, type Planned } from '../../src/engine/planner.ts';
import type { Parked } from '../../src/ports.ts';
import { accounts, organization, roles, rules } from './builders.ts';

export interface Given {
  readonly rules?: Rules;
  readonly entries?: readonly Entry[];
  readonly users?: readonly TwilioUser[];
  readonly links?: readonly Link[];
  readonly assignments?: readonly RoleAssignment[];
  readonly applied?: Readonly<Record<string, LastApplied>>;
  readonly records?: readonly GrantRecord[];
  /** Grants, as user, role and scope, whose making was begun and whose end nobody saw. */
  readonly begunGrants?: readonly (Grant & { readonly user: UserSid })[];
  readonly accounts?: readonly Account[];
  readonly justCreated?: readonly string[];
  readonly released?: readonly UserSid[];
  readonly absences?: Readonly<Record<string, number>>;
  readonly parked?: readonly Parked[];
  readonly blocked?: readonly Blocked[];
  readonly begun?: readonly string[];
  /** Ids of grants that were planned with a creation and never made. */
  readonly owed?: readonly string[];
  readonly breaker?: OpenBreaker;
  readonly now?: number;
  readonly only?: readonly string[];
}

export function planFor(given: Given): Planned {
  return makePlan(inputFor(given));
}

/** What the planner gets, so that a test can plan one state under many policies. */
export function inputFor(given: Given): PlanInput {
  const {
    rules: ruleset = rules(),
    users = [],
    links = [],
    assignments = [],
    applied = {},
    records = [],
    begunGrants = [],
    absences = {},
    parked = [],
    begun = [],
    only,
  } = given;
  const { desired, entitlements } = desiredFor(given);
  const assignmentsOf = (user: UserSid) => assignments.filter((each) => each.user === user);
  const begunKeys = new Set(begunGrants.map((grant) => holderKey(grant.user, grant)));
  return {
    policy: ruleset.policy,
    desired,
    users: indexUsers(users),
    links: linksOf(links),
    knowledge: {
      assignmentsOf,
      ...knowGrants(records, assignmentsOf, entitlements.named, begunKeys),
      lastApplied: (id) => applied[id],
      owners: new Set((given.accounts ?? []).flatMap((account) => account.owner ?? [])),
      justCreated: (id) => given.justCreated?.includes(id) === true,
      released: new Map((given.released ?? []).map((user) => [user, 'former' as ExternalId])),
    },
    absences: new Map(Object.entries(absences) as [ExternalId, number][]),
    parked: new Map(parked.map((each) => [each.externalId, each])),
    blocked: new Map((given.blocked ?? []).map((each) => [each.key, each])),
    begun: new Set<Email>(begun.map(normalizeEmail)),
    owed: new Set(given.owed ?? []),
    breaker: given.breaker,
    nameOf: entitlements.nameOf,
    configuration: 'configuration',
    now: given.now ?? 0,
    ...(only !== undefined && { only: new Set(only) }),
  };
}

export function desiredFor({ rules: ruleset = rules(), entries = [], links = [] }: Given): {
  desired: DesiredState;
  entitlements: ReturnType<typeof resolveEntitlements>['entitlements'];
} {
  const { compiled, issues } = compileRules(ruleset);
  if (issues.length > 0) throw new Error(JSON.stringify(issues));
  const { entitlements, issues: unresolved } = resolveEntitlements(ruleset.roles, roles, accounts, organization);
  if (unresolved.length > 0) throw new Error(JSON.stringify(unresolved));
  const linked = new Set(links.map((each) => each.externalId));
  const builder = buildDesiredState(compiled, entitlements, (id) => linked.has(id));
  for (const each of entries) builder.accept(each);
  return { desired: builder.finish(), entitlements };
}

export function linksOf(links: readonly Link[]): Links {
  return {
    byExternalId: new Map(links.map((each) => [each.externalId, each.user])),
    byUser: new Map(links.map((each) => [each.user, each.externalId])),
  };
}

/** Each operation as its id, which names kind, person and grant. */
export function idsOf(planned: Planned): string[] {
  return planned.plan.operations.map(({ id }) => id);
}

/** Each operation as kind and person, without the grant. */
export function stepsOf(planned: Planned): string[] {
  return planned.plan.operations.map(({ kind, externalId }) => `${kind} ${externalId}`);
}

export function codesOf(planned: Planned): string[] {
  return planned.plan.findings.map(({ code, externalId }) => `${code} ${externalId}`.trim());
}

export function findingOf(planned: Planned, code: FindingCode): Finding {
  const finding = planned.plan.findings.find((each) => each.code === code);
  if (finding === undefined) throw new Error(`no finding ${code} among ${codesOf(planned).join(', ')}`);
  return finding;
}

type OfKind<Kind extends Operation['kind']> = Operation extends infer Each
  ? Each extends { readonly kind: infer Kinds }
    ? Kind extends Kinds
      ? Each
      : never
    : never
  : never;

export function operationOf<Kind extends Operation['kind']>(planned: Planned, kind: Kind): OfKind<Kind> {
  const found = planned.plan.operations.find((each) => each.kind === kind);
  if (found === undefined) throw new Error(`no ${kind} among ${idsOf(planned).join(', ')}`);
  return found as OfKind<Kind>;
}
