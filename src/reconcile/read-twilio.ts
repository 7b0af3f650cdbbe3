import type { ScopeSid, UserSid } from '../domain/identity.ts';
import type { RoleAssignment, TwilioUser } from '../domain/user.ts';
import { indexUsers, type Links, type UserIndex } from '../engine/correlate.ts';
import type { DesiredState } from '../engine/desired-state.ts';
import type { Context } from './context.ts';

export interface ReadOptions {
  /** True reads all of Twilio anew, false believes the mirror at any age; undefined goes by age. */
  readonly refresh: boolean | undefined;
  /** False in dry runs: nothing is written to the snapshot. */
  readonly keepMirror: boolean;
}

/** Whether what was read at that time may still be believed. */
export function isFresh(at: number | undefined, maxAgeMs: number, { refresh }: ReadOptions, now: number): boolean {
  if (at === undefined || refresh === true) return false;
  return refresh === false || (now >= at && now - at < maxAgeMs);
}

export async function readUsers(
  { store, target, clock, progress, refreshUsersMs }: Context,
  options: ReadOptions,
  doubtful: boolean,
  signal: AbortSignal,
): Promise<readonly TwilioUser[]> {
  const users: TwilioUser[] = [];
  if (!doubtful && isFresh(store.ages().users, refreshUsersMs, options, clock.now())) {
    store.users((user) => users.push(user));
    return users;
  }
  const mirror = options.keepMirror ? store.refreshUsers() : undefined;
  await target.listUsers(
    (user, resource) => {
      users.push(user);
      if (resource !== undefined) mirror?.add(user, resource);
      if (users.length % 1_000 === 0) progress.update('reading Twilio users', users.length);
    },
    signal,
    mirror,
  );
  mirror?.finish(clock.now());
  return users;
}

/**
 * Whether Twilio lists inactive people is not documented. Whom we deactivated ourselves and the source wants back is
 * therefore looked for by SID before being called gone; everybody else who is missing from the list is not.
 */
export async function withReturning(
  { store, target }: Context,
  listed: readonly TwilioUser[],
  desired: DesiredState,
  links: Links,
  /** People of whom it is not known whether we deactivated them. */
  doubtful: ReadonlySet<UserSid>,
  signal: AbortSignal,
): Promise<UserIndex> {
  const index = indexUsers(listed);
  const found: TwilioUser[] = [];
  for (const [externalId, user] of links.byExternalId) {
    if (index.bySid.has(user) || desired.users.get(externalId)?.active !== true) continue;
    if (store.lastApplied(externalId)?.active !== false && !doubtful.has(user)) continue;
    const unlisted = await target.readUser(user, signal);
    if (unlisted !== undefined) found.push(unlisted.user);
  }
  return found.length === 0 ? index : indexUsers([...listed, ...found]);
}

/** For how long a grant of ours that a list does not show is looked for once more, in milliseconds. */
const settlingMs = 600_000;

/**
 * Scopes go by the age of their mirror. People are looked at by themselves, whatever the age, when an operation of theirs is
 * unfinished, or when a list lacks what we gave them a moment ago: whether lists show it at once is not documented.
 */
export async function readAssignments(
  { store, target, clock, progress, refreshAssignmentsMs }: Context,
  options: ReadOptions,
  scopes: ReadonlySet<ScopeSid>,
  unfinished: ReadonlySet<UserSid>,
  /** Who is there: the roles of people who are gone went with them. */
  { bySid }: Pick<UserIndex, 'bySid'>,
  signal: AbortSignal,
): Promise<ReadonlyMap<UserSid, readonly RoleAssignment[]>> {
  const byUser = new Map<UserSid, RoleAssignment[]>();
  const keep = (assignment: RoleAssignment) => {
    const known = byUser.get(assignment.user);
    if (known === undefined) byUser.set(assignment.user, [assignment]);
    else if (!known.some(({ sid }) => sid === assignment.sid)) known.push(assignment);
  };
  const { assignments: ages } = store.ages();
  const stale = [...scopes].filter((scope) => !isFresh(ages.get(scope), refreshAssignmentsMs, options, clock.now()));
  const listed = new Set<ScopeSid>(stale);
  for (const scope of stale) {
    const rows: RoleAssignment[] = [];
    await target.listAssignments(
      { scope },
      (assignment) => {
        // A listing by organization may hold rows of its accounts as well.
        if (assignment.scope === scope) rows.push(assignment);
        if (rows.length % 100 === 0) progress.update('reading role assignments', rows.length);
      },
      signal,
    );
    if (options.keepMirror) store.refreshAssignments(scope, rows, clock.now());
    for (const row of rows) keep(row);
  }
  for (const assignment of store.assignments()) if (!listed.has(assignment.scope)) keep(assignment);
  const isShown = ({ user, sid }: RoleAssignment) => byUser.get(user)?.some((each) => each.sid === sid) === true;
  const fresh = listed.size === 0 ? [] : store.grantsSince(clock.now() - settlingMs);
  const unseen = fresh.filter((grant) => listed.has(grant.scope) && bySid.has(grant.user) && !isShown(grant));
  for (const user of new Set([...unfinished, ...unseen.map((grant) => grant.user)])) {
    const rows: RoleAssignment[] = [];
    await target.listAssignments({ user }, (assignment) => rows.push(assignment), signal);
    if (options.keepMirror) store.refreshAssignmentsOf(user, rows);
    byUser.set(user, rows);
  }
  return byUser;
}
