import { InternalError } from '../errors.ts';
import type { Effect } from '../ports.ts';
import { deleteBlock, putBlock } from './blocks.ts';
import { closeBreaker, putBreaker } from './breaker.ts';
import type { Database } from './database.ts';
import { deleteGrantRecord, putGrantRecord } from './grant-records.ts';
import { putLastApplied, putLink, putParked } from './links.ts';
import { putAssignment } from './mirror-assignments.ts';
import { markDeactivated, putUserResource } from './mirror-users.ts';

/** Part of a transaction of the caller's: the one that records the operation's outcome. */
export function applyEffect(database: Database, effect: Effect, at: number, run: string): void {
  switch (effect.effect) {
    case 'user':
      putUserResource(database, effect.user, effect.resource);
      return;
    case 'user-deactivated':
      markDeactivated(database, effect.user);
      return;
    case 'linked':
      refuseSecondLink(database, effect.link.externalId, effect.link.user);
      putLink(database, effect.link, effect.origin, at, run);
      return;
    case 'applied':
      putLastApplied(database, effect.externalId, effect.applied);
      return;
    case 'assigned':
      putAssignment(database, effect.assignment);
      putGrantRecord(database, { ...effect.assignment, origin: effect.origin }, at, run);
      return;
    case 'revoked':
      database.statement('DELETE FROM assignments WHERE sid = ?').run(effect.assignment);
      deleteGrantRecord(database, effect.user, effect.grant, effect.assignment);
      return;
    case 'parked':
      putParked(database, effect.parked);
      return;
    case 'unparked':
      database.statement('DELETE FROM parked WHERE external_id = ?').run(effect.externalId);
      return;
    case 'blocked':
      putBlock(database, effect.blocked);
      return;
    case 'unblocked':
      deleteBlock(database, effect.key);
      return;
    case 'breaker-tripped':
      putBreaker(database, effect.breaker);
      return;
    case 'breaker-closed':
      closeBreaker(database, effect.since, at);
  }
}

/** Two people behind one Twilio user would undo each other's values for ever. */
function refuseSecondLink(database: Database, externalId: string, user: string): void {
  const other = database
    .statement<{ readonly externalId: string }>(
      'SELECT external_id AS externalId FROM links WHERE user = ? AND external_id <> ?',
    )
    .get(user, externalId);
  if (other !== undefined) {
    throw new InternalError(
      `cannot link ${externalId} to ${user} in ${database.path}: ${other.externalId} is linked to it`,
    );
  }
}
