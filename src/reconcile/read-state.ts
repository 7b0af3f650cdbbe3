import type { Blocked, BlockKey } from '../domain/blocked.ts';
import type { OpenBreaker } from '../domain/breaker.ts';
import type { CompleteRead } from '../domain/entry.ts';
import { type Email, type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { NamedGrant, Operation } from '../domain/operation.ts';
import type { Rules } from '../domain/rules.ts';
import type { Seen } from '../domain/seen-entry.ts';
import type { Account, Role } from '../domain/user.ts';
import type { RuleIssue } from '../engine/compile.ts';
import { indexLinks, type Links, type UserIndex } from '../engine/correlate.ts';
import { buildDesiredState, type DesiredState } from '../engine/desired-state.ts';
import { type Entitlements, resolveEntitlements } from '../engine/entitlements.ts';
import { hashEntry } from '../engine/entry-hash.ts';
import { type HolderKey, holderKey, knowGrants } from '../engine/grant-records.ts';
import type { Knowledge } from '../engine/people.ts';
import { settle } from '../engine/settle.ts';
import { resolveWatchedRoles } from '../engine/watched-roles.ts';
import { ConfigError } from '../errors.ts';
import type { Effect, Parked } from '../ports.ts';
import type { Context } from './context.ts';
import { isFresh, type ReadOptions, readAssignments, readUsers, withReturning } from './read-twilio.ts';

/** Both sides and what lies between, each proved complete. */
export interface State {
  readonly desired: DesiredState;
  readonly users: UserIndex;
  readonly links: Links;
  readonly knowledge: Knowledge;
  readonly entitlements: Entitlements;
  readonly parked: ReadonlyMap<ExternalId, Parked>;
  readonly blocked: ReadonlyMap<BlockKey, Blocked>;
  readonly begun: ReadonlySet<Email>;
  /** Looked for in create-only mode alone: the others give whatever is missing. */
  readonly owed: ReadonlySet<string>;
  readonly breaker: OpenBreaker | undefined;
  /** What is remembered, after all, of operations whose end nobody saw. */
  readonly settled: readonly Effect[];
  readonly read: CompleteRead;
  /** How long the read of the source took, in milliseconds. */
  readonly readMs: number;
  /** Entries that the snapshot does not keep like that yet; none in dry runs. */
  readonly entries: Seen['entries'];
  /** Roles, each in one scope, that must keep a holder. */
  readonly watched: readonly NamedGrant[];
}

/**
 * Reads source and Twilio. Any doubt about completeness ends here, with a SourceError or a TargetError;
 * names that do not resolve end here with a ConfigError, before anything is read of people.
 */
export async function readState(context: Context, options: ReadOptions, signal: AbortSignal): Promise<State> {
  const { store } = context;
  const unfinished = store.unfinished();
  const { entitlements, watched, accounts } = await readNames(context, options, signal);
  const links = indexLinks(store.links());
  const [{ desired, read, readMs, entries }, listed] = await bothOrNeither(
    (either) => readSource(context, entitlements, links, options.keepMirror, either),
    (either) => readUsers(context, options, unfinished.length > 0, either),
    signal,
  );
  const doubtful = doubtfulUsers(unfinished, links);
  const users = await withReturning(context, listed, desired, links, doubtful, signal);

  const recorded = [...store.grantRecords()];
  const scopes = new Set([...entitlements.scopes, ...watched.map(({ scope }) => scope)]);
  for (const { scope } of recorded) scopes.add(scope);
  const assignments = await readAssignments(context, options, scopes, doubtful, users, signal);
  const assignmentsOf = (user: UserSid) => assignments.get(user) ?? [];
  const lastApplied = (externalId: ExternalId) => store.lastApplied(externalId);
  const settled = settle({ unfinished, users, links, assignmentsOf, lastApplied });
  const parked = new Map<ExternalId, Parked>();
  for (const each of store.parked()) parked.set(each.externalId, each);
  const begun = unfinished.filter(({ kind }) => kind === 'create').map(({ userName }) => normalizeEmail(userName));
  return {
    desired,
    read,
    readMs,
    entries,
    users,
    links,
    entitlements,
    parked,
    blocked: new Map(store.blocks().map((each) => [each.key, each])),
    begun: new Set(begun),
    owed: context.rules.policy.mode === 'create-only' ? store.owedGrants() : new Set(),
    breaker: store.breaker(),
    settled: settled.effects,
    watched,
    knowledge: {
      assignmentsOf,
      ...knowGrants(settled.records(recorded), assignmentsOf, entitlements.named, begunGrants(unfinished, links)),
      lastApplied: settled.lastApplied,
      owners: new Set((accounts ?? []).flatMap((account) => account.owner ?? [])),
      justCreated: (externalId) => store.createdSince(externalId, context.clock.now() - listedAfterMs),
      released: store.released(),
    },
  };
}

/** How soon Twilio lists a new user is not documented: an hour is ample, and a domain has thirty days before it lapses. */
const listedAfterMs = 3_600_000;

/** Of whom the mirror is not to be believed. */
export function doubtfulUsers(unfinished: readonly Operation[], links: Links): ReadonlySet<UserSid> {
  return new Set(unfinished.flatMap((operation) => userOf(operation, links) ?? []));
}

/** The grant of somebody who was created in the same run names no user: the link does. */
function userOf(operation: Operation, links: Links): UserSid | undefined {
  return ('user' in operation && operation.user) || links.byExternalId.get(operation.externalId);
}

function begunGrants(unfinished: readonly Operation[], links: Links): ReadonlySet<HolderKey> {
  const keys = unfinished.flatMap((operation) => {
    const user = operation.kind === 'grant' ? userOf(operation, links) : undefined;
    return operation.kind === 'grant' && user !== undefined ? [holderKey(user, operation.grant)] : [];
  });
  return new Set(keys);
}

/** Runs both at once; when one fails the other is stopped, and the first failure is what the caller sees. */
async function bothOrNeither<A, B>(
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
  signal: AbortSignal,
): Promise<[A, B]> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  const guarded = async <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await work(either);
    } catch (error) {
      failures.push(error);
      stop.abort(error);
      throw error;
    }
  };
  const [a, b] = await Promise.allSettled([guarded(first), guarded(second)]);
  if (a.status === 'rejected' || b.status === 'rejected') throw failures[0];
  return [a.value, b.value];
}

/** Throws ConfigError naming every role or account that does not resolve, TargetError when they cannot be listed. */
export async function readNames(context: Context, options: ReadOptions, signal: AbortSignal): Promise<Named> {
  const { rules, store, target, clock, refreshAssignmentsMs } = context;
  if (isFresh(store.ages().roles, refreshAssignmentsMs, options, clock.now())) {
    const { issues, named } = resolveNames(rules, store.roles(), store.accounts());
    if (issues.length === 0) return named;
  }
  const [listed, seen] = await Promise.all([target.listRoles(signal), target.listAccounts(signal)]);
  // Where roles cannot be listed the configuration names them by SID, and a SID is believed.
  const roles = listed ?? [];
  // A list that cannot be had for once is no reason to forget names and owners.
  const accounts = seen ?? store.accounts();
  const { issues, named } = resolveNames(rules, roles, accounts);
  if (issues.length > 0) throw new ConfigError(issues);
  if (options.keepMirror) store.refreshRoles(roles, accounts, clock.now());
  return named;
}

/** What the configuration's names of roles and accounts mean in this organization. */
export interface Named {
  readonly entitlements: Entitlements;
  readonly watched: readonly NamedGrant[];
  readonly accounts: readonly Account[] | undefined;
}

function resolveNames(
  { roles: rules, guards, organization }: Rules,
  roles: readonly Role[],
  accounts: readonly Account[] | undefined,
): { readonly named: Named; readonly issues: readonly RuleIssue[] } {
  const resolved = resolveEntitlements(rules, roles, accounts, organization);
  const { watched, issues } = resolveWatchedRoles(guards.keepAtLeastOne, roles, accounts, organization);
  return {
    named: { entitlements: resolved.entitlements, watched, accounts },
    issues: [...resolved.issues, ...issues],
  };
}

async function readSource(
  { source, compiled, progress, store, clock }: Context,
  entitlements: Entitlements,
  links: Links,
  keepEntries: boolean,
  signal: AbortSignal,
): Promise<Pick<State, 'desired' | 'read' | 'readMs' | 'entries'>> {
  const builder = buildDesiredState(compiled, entitlements, (externalId) => links.byExternalId.has(externalId));
  const kept = keepEntries ? store.seenHashes() : undefined;
  const entries: Seen['entries'][number][] = [];
  let done = 0;
  const began = clock.now();
  const read = await source.read(
    compiled.demand,
    (entry) => {
      const concerns = builder.accept(entry);
      if (concerns && kept !== undefined && entry.id !== '') {
        const hash = hashEntry(entry);
        if (!kept.has(hash)) entries.push({ entry, hash });
      }
      if (++done % 1_000 === 0) progress.update('reading the source', done);
    },
    signal,
  );
  return { desired: builder.finish(), read, readMs: clock.now() - began, entries };
}
