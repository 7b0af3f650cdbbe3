/**
 * Guards refuse a whole plan; they never trim one. Most count people, not calls, and compare with an absolute number, a
 * percentage, or the smaller of both.
 *
 * | guard           | counts                                                     | percent of                        |
 * |-----------------|------------------------------------------------------------|-----------------------------------|
 * | deactivations   | people deactivated                                         | people managed                    |
 * | revocations     | people who lose a role                                     | people managed                    |
 * | roleRevocations | people who lose one role in one scope, the worst of them   | people who hold it                |
 * | creations       | people created                                             | people managed                    |
 * | renames         | people whose address changes                               | people managed                    |
 * | adoptions       | people linked who were not managed                         | people managed                    |
 * | sourceShrink    | entries, or people in scope, fewer than at the last complete read | what there was then        |
 * | gone            | people in scope whom Twilio no longer shows, more than at the last complete read | people managed |
 * | keepAtLeastOne  | roles, each in one scope, that nobody active would hold any more | none may                     |
 *
 * `gone` is about Twilio's side: a domain that lapsed takes its people away, and a list that Twilio cut looks the same, so that
 * nothing should be concluded from it. Who is known to be gone since the last good run does not count again.
 *
 * A source that lost everybody in scope is refused whatever the percentage.
 */
import type { NamedGrant, Operation } from '../domain/operation.ts';
import type { CompleteReadCounts, GuardResult, Plan, Verdict } from '../domain/plan.ts';
import { type GuardLimits, type GuardName, guardNames } from '../domain/rules.ts';
import { guardGone } from './guard-gone.ts';
import { allowed, guardResult } from './guard-limit.ts';
import { guardLastHolders, guardRoles, type Holders } from './guard-roles.ts';
import { guardShrink } from './guard-shrink.ts';

export interface GuardInput {
  readonly plan: Plan;
  readonly limits: GuardLimits;
  /** Limits raised by name for this run; `Infinity` lifts the guard. */
  readonly allowances: ReadonlyMap<GuardName, number>;
  readonly lastRead: CompleteReadCounts | undefined;
  readonly holders: Holders;
  /** Roles, each in one scope, of which `keepAtLeastOne` keeps a holder. */
  readonly watched: readonly NamedGrant[];
}

export function guard(input: GuardInput): Verdict {
  const guards = guardNames.map((name) => judge(name, input));
  return { allowed: guards.every((result) => result.passed), guards };
}

function judge(name: GuardName, input: GuardInput): GuardResult {
  if (name === 'sourceShrink') return guardShrink(input);
  if (name === 'gone') return guardGone(input);
  if (name === 'roleRevocations') return guardRoles(input);
  if (name === 'keepAtLeastOne') return guardLastHolders(input);
  return harm(name, input);
}

type HarmToPeople = Exclude<GuardName, 'sourceShrink' | 'gone' | 'roleRevocations' | 'keepAtLeastOne'>;

interface Harm {
  /** Whether the operation does this harm to its person. */
  readonly does: (operation: Operation) => boolean;
  /** After "people would". */
  readonly verb: string;
}

const harms: Readonly<Record<HarmToPeople, Harm>> = {
  deactivations: { does: ({ kind }) => kind === 'deactivate', verb: 'be deactivated' },
  revocations: { does: ({ kind }) => kind === 'revoke', verb: 'lose a role' },
  creations: { does: ({ kind }) => kind === 'create', verb: 'be created' },
  renames: { does: isRename, verb: 'get another address' },
  adoptions: { does: ({ kind }) => kind === 'adopt', verb: 'be adopted' },
};

function isRename(operation: Operation): boolean {
  return (
    'changes' in operation &&
    operation.kind !== 'create' &&
    operation.changes.some((change) => change.attribute === 'userName')
  );
}

function harm(name: HarmToPeople, { plan, limits, allowances }: GuardInput): GuardResult {
  const { does, verb } = harms[name];
  const measured = new Set(plan.operations.filter(does).map((operation) => operation.externalId)).size;
  const { managed } = plan.counts;
  const { limit, arithmetic } = allowed(limits[name], allowances.get(name), managed, `${managed} managed`);
  const message = `${measured} ${measured === 1 ? 'person' : 'people'} would ${verb}; ${arithmetic}`;
  return guardResult(name, measured, limit, message);
}
