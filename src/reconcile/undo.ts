/** Takes back what a run did. The source is not read: the history says what to restore, and Twilio what there is. */
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { Operation } from '../domain/operation.ts';
import type { RoleAssignment, TwilioUser } from '../domain/user.ts';
import { indexLinks, indexUsers, type UserIndex } from '../engine/correlate.ts';
import { knowGrants } from '../engine/grant-records.ts';
import { holdersOf } from '../engine/guard-roles.ts';
import { guard } from '../engine/guards.ts';
import type { Knowledge } from '../engine/people.ts';
import { settle } from '../engine/settle.ts';
import { planUndo } from '../engine/undo-plan.ts';
import type { Context } from './context.ts';
import type { Proposal, ProposeOptions } from './propose.ts';
import { doubtfulUsers, readNames } from './read-state.ts';
import { readAssignments, readUsers } from './read-twilio.ts';

export interface Undone {
  /** Id of the run. */
  readonly run: string;
  /** What it did, or may have done, in its order. */
  readonly done: readonly Operation[];
}

/** The plan that undoes a run, judged by the guards like any other. Throws TargetError and ConfigError. */
export async function proposeUndo(
  context: Context,
  { run, done }: Undone,
  options: ProposeOptions,
  signal: AbortSignal,
): Promise<Proposal> {
  const { rules, store, clock, configuration } = context;
  const reading = { refresh: options.refresh, keepMirror: options.keepMirror };
  const { entitlements, watched, accounts } = await readNames(context, reading, signal);
  const unfinished = store.unfinished();
  const listed = await readUsers(context, reading, unfinished.length > 0, signal);
  const users = await withUnlisted(context, listed, done, signal);
  const links = indexLinks(store.links());
  const scopes = new Set([
    ...entitlements.scopes,
    ...watched.map(({ scope }) => scope),
    ...done.flatMap((operation) => ('grant' in operation ? [operation.grant.scope] : [])),
  ]);
  const assignments = await readAssignments(context, reading, scopes, doubtfulUsers(unfinished, links), users, signal);
  const assignmentsOf = (user: UserSid): readonly RoleAssignment[] => assignments.get(user) ?? [];
  const lastApplied = (externalId: ExternalId) => store.lastApplied(externalId);
  const settled = settle({ unfinished, users, links, assignmentsOf, lastApplied });
  const knowledge: Knowledge = {
    assignmentsOf,
    lastApplied: settled.lastApplied,
    ...knowGrants([], assignmentsOf, new Set(), new Set()),
    isManaged: () => true,
    owners: new Set((accounts ?? []).flatMap((account) => account.owner ?? [])),
    justCreated: () => false,
    released: store.released(),
  };
  const lastRead = store.lastCompleteRead();
  const managed = links.byExternalId.size;
  const plan = planUndo({
    run,
    done,
    users,
    links,
    knowledge,
    policy: rules.policy,
    configuration,
    counts: { entries: managed, inScope: managed, ...lastRead, gone: lastRead?.gone ?? 0 },
    now: clock.now(),
    ...(options.only !== undefined && { only: options.only }),
  });
  const verdict = guard({
    plan,
    limits: rules.guards,
    allowances: options.allowances,
    lastRead,
    holders: holdersOf(users.bySid.values(), assignmentsOf),
    watched,
  });
  const nothingRead = {
    absences: undefined,
    read: undefined,
    readMs: undefined,
    manner: undefined,
    grants: undefined,
    additive: undefined,
    seen: undefined,
  };
  const nobody = { waiting: new Set<never>(), parked: new Map<never, never>(), blocked: new Map<never, never>() };
  return { plan, verdict, ...nobody, breaker: store.breaker(), settled: settled.effects, ...nothingRead };
}

/** Whether Twilio lists inactive people is not documented: whom the run changed is looked for by SID. */
async function withUnlisted(
  { target }: Context,
  listed: readonly TwilioUser[],
  done: readonly Operation[],
  signal: AbortSignal,
): Promise<UserIndex> {
  const index = indexUsers(listed);
  const concerned = new Set(
    done.flatMap((operation) => ('user' in operation && operation.user ? [operation.user] : [])),
  );
  const found: TwilioUser[] = [];
  for (const user of concerned) {
    if (index.bySid.has(user)) continue;
    const unlisted = await target.readUser(user, signal);
    if (unlisted !== undefined) found.push(unlisted.user);
  }
  return found.length === 0 ? index : indexUsers([...listed, ...found]);
}
