/** Snapshot and journal in memory, without a mirror: each read of Twilio is a fresh one. */

import type { Blocked, BlockKey } from '../../src/domain/blocked.ts';
import type { OpenBreaker } from '../../src/domain/breaker.ts';
import type { AssignmentSid, ExternalId, UserSid } from '../../src/domain/identity.ts';
import type { Operation } from '../../src/domain/operation.ts';
import type { CompleteReadCounts } from '../../src/domain/plan.ts';
import type { Outcome } from '../../src/domain/run.ts';
import { type Grant, type GrantRecord, grantKey, type LastApplied, type Link } from '../../src/domain/user.ts';
import type { Effect, Parked, RunEnd, RunJournal, SnapshotStore } from '../../src/ports.ts';

export interface SnapshotState {
  readonly links?: readonly Link[];
  readonly applied?: Readonly<Record<string, LastApplied>>;
  readonly records?: readonly GrantRecord[];
  readonly parked?: readonly Parked[];
  readonly absences?: Readonly<Record<string, number>>;
}

export interface MemorySnapshot {
  readonly store: SnapshotStore;
  readonly journal: RunJournal;
  readonly links: Map<ExternalId, UserSid>;
  readonly applied: Map<ExternalId, LastApplied>;
  readonly parked: Map<ExternalId, Parked>;
  /** `intend <id>` and `<state> <id>`, in their order. */
  readonly entries: string[];
  readonly outcomes: Map<string, Outcome>;
  readonly unfinished: Map<string, Operation>;
  readonly ends: RunEnd[];
  readonly released: ReadonlyMap<UserSid, ExternalId>;
  /** As `tdsync release` does. */
  release(externalId: ExternalId): void;
}

export function createMemorySnapshot(state: SnapshotState = {}): MemorySnapshot {
  const links = new Map((state.links ?? []).map(({ externalId, user }) => [externalId, user]));
  const applied = new Map(Object.entries(state.applied ?? {}) as [ExternalId, LastApplied][]);
  const parked = new Map((state.parked ?? []).map((each) => [each.externalId, each]));
  const records = new Map((state.records ?? []).map((each) => [keyOf(each), each]));
  const keep = (record: GrantRecord) => {
    if (records.get(keyOf(record))?.sid !== record.sid) records.set(keyOf(record), record);
  };
  const forget = (key: string, sid: AssignmentSid) => {
    if (records.get(key)?.sid === sid) records.delete(key);
  };
  const blocked = new Map<BlockKey, Blocked>();
  let breaker: OpenBreaker | undefined;
  let planned: readonly Operation[] = [];
  const owed = new Set<string>();
  let absences = new Map(Object.entries(state.absences ?? {}) as [ExternalId, number][]);
  let lastRead: CompleteReadCounts | undefined;
  const unfinished = new Map<string, Operation>();
  const outcomes = new Map<string, Outcome>();
  const entries: string[] = [];
  const ends: RunEnd[] = [];
  const released = new Map<UserSid, ExternalId>();

  function take(effect: Effect, at: number): void {
    switch (effect.effect) {
      case 'linked':
        links.set(effect.link.externalId, effect.link.user);
        break;
      case 'applied':
        applied.set(effect.externalId, effect.applied);
        break;
      case 'assigned':
        keep({ ...effect.assignment, origin: effect.origin });
        break;
      case 'revoked':
        forget(keyOf({ user: effect.user, ...effect.grant }), effect.assignment);
        break;
      case 'parked':
        parked.set(effect.parked.externalId, effect.parked);
        break;
      case 'unparked':
        parked.delete(effect.externalId);
        break;
      case 'blocked':
        blocked.set(effect.blocked.key, effect.blocked);
        break;
      case 'unblocked':
        blocked.delete(effect.key);
        break;
      case 'breaker-tripped':
        breaker = effect.breaker;
        break;
      case 'breaker-closed':
        breaker = undefined;
        for (const each of parked.values()) {
          if (each.since >= effect.since) parked.set(each.externalId, { ...each, retryAt: at });
        }
        break;
      case 'user':
      case 'user-deactivated':
        break;
    }
  }

  /** Grants that wait for a creation or an adoption are owed once it is done, until they are made. */
  function owe({ id }: Operation): void {
    owed.delete(id);
    for (const each of planned) if (each.kind === 'grant' && each.after === id) owed.add(each.id);
  }

  return {
    links,
    applied,
    parked,
    entries,
    outcomes,
    unfinished,
    ends,
    released,
    release(externalId) {
      const user = links.get(externalId);
      if (user === undefined) throw new Error(`nobody is linked to ${externalId}`);
      links.delete(externalId);
      parked.delete(externalId);
      for (const [key, grant] of records) if (grant.user === user) records.delete(key);
      released.set(user, externalId);
    },
    store: {
      links: () => [...links].map(([externalId, user]) => ({ externalId, user })),
      lastApplied: (externalId) => applied.get(externalId),
      absences: () => absences,
      grantRecords: () => records.values(),
      parked: () => parked.values(),
      blocks: () => [...blocked.values()],
      breaker: () => breaker,
      owedGrants: () => owed,
      rolesHeld: (user) => [...records.values()].filter((each) => each.user === user).length,
      lastCompleteRead: () => lastRead,
      createdSince: () => false,
      unfinished: () => [...unfinished.values()],
      approval: () => undefined,
      released: () => released,
      seenHashes: () => new Set(),
      seenEntry: () => undefined,
      missingEntry: () => undefined,
      seenWith: () => [],
      ages: () => ({ users: undefined, roles: undefined, assignments: new Map() }),
      users: () => {},
      resource: () => undefined,
      assignments: () => [],
      roles: () => [],
      accounts: () => undefined,
      refreshUsers: () => ({ after: () => undefined, add: () => {}, finish: () => {} }),
      refreshAssignments: () => {},
      refreshAssignmentsOf: () => {},
      refreshRoles: () => {},
    },
    journal: {
      start: () => 'run',
      saw: () => {},
      planned(_run, _plan, verdict, carriedOut) {
        planned = carriedOut?.operations ?? [];
        if (verdict.allowed || carriedOut !== undefined) unfinished.clear();
      },
      intend(_run, operation) {
        entries.push(`intend ${operation.id}`);
        unfinished.set(operation.id, operation);
      },
      complete(_run, operation, outcome, effects, at) {
        entries.push(`${outcome.state} ${operation.id}`);
        unfinished.delete(operation.id);
        if (outcome.state === 'done' || outcome.state === 'already') owe(operation);
        outcomes.set(operation.id, outcome);
        for (const effect of effects) take(effect, at);
      },
      end(_run, end) {
        ends.push(end);
        for (const externalId of end.unparked ?? []) parked.delete(externalId);
        if (end.absences !== undefined) absences = new Map(end.absences);
        if (end.read !== undefined) lastRead = end.read;
        for (const record of end.grants?.forgotten ?? []) forget(keyOf(record), record.sid);
        end.grants?.kept.forEach(keep);
      },
    },
  };
}

function keyOf(grant: Grant & { readonly user: UserSid }): string {
  return `${grant.user} ${grantKey(grant)}`;
}
