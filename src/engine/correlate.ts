/**
 * Who is who: joins desired users, links and Twilio users into one situation per person. externalId decides, the
 * address only proposes.
 *
 * | desired, active | link | Twilio user                              | situation                  |
 * |-----------------|------|------------------------------------------|----------------------------|
 * | yes             | yes  | there                                    | linked                     |
 * | yes             | yes  | gone                                     | gone; as without a link when `recreateGone` |
 * | yes             | no   | one with our externalId                  | adoptable                  |
 * | yes             | no   | one with the address, nobody's           | adoptable, or `not-adopted`|
 * | yes             | no   | one with the address, linked or adoptable by another | joiner, who waits for the address |
 * | yes             | no   | one with the address and a foreign externalId | `recycled-address`    |
 * | yes             | no   | several with the address or externalId   | `ambiguous`                |
 * | yes             | no   | none                                     | joiner                     |
 * | no              | yes  | there                                    | leaver, with the cause     |
 * | no              | no   | any                                      | nothing                    |
 */
import { compareStrings, type Email, type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { Reason } from '../domain/operation.ts';
import type { Finding } from '../domain/plan.ts';
import type { Policy } from '../domain/rules.ts';
import type { DesiredUser, Link, TwilioUser } from '../domain/user.ts';
import type { DesiredState } from './desired-state.ts';

/** The stored pairs, both ways. */
export interface Links {
  readonly byExternalId: ReadonlyMap<ExternalId, UserSid>;
  readonly byUser: ReadonlyMap<UserSid, ExternalId>;
}

/** Twilio's users by each of their names. */
export interface UserIndex {
  readonly bySid: ReadonlyMap<UserSid, TwilioUser>;
  readonly byExternalId: ReadonlyMap<ExternalId, TwilioUser>;
  readonly byAddress: ReadonlyMap<Email, TwilioUser>;
  /** Names that Twilio shows on more than one user, with those users. The maps above hold the first by SID. */
  readonly shared: ReadonlyMap<Email | ExternalId, readonly UserSid[]>;
}

export type Situation =
  | { readonly is: 'linked'; readonly desired: DesiredUser; readonly user: TwilioUser }
  | { readonly is: 'gone'; readonly desired: DesiredUser; readonly user: UserSid }
  | { readonly is: 'adoptable'; readonly desired: DesiredUser; readonly user: TwilioUser; readonly reason: Reason }
  | { readonly is: 'joiner'; readonly desired: DesiredUser; readonly reason: Extract<Reason, 'new' | 'gone'> }
  | { readonly is: 'leaver'; readonly externalId: ExternalId; readonly user: TwilioUser; readonly reason: LeaverReason }
  | { readonly is: 'finding'; readonly finding: Finding };

export type LeaverReason = Extract<Reason, 'absent' | 'out-of-scope' | 'disabled'>;

/** Only SIDs are indexed at once: the other names are needed for people without a link, and on most runs there are none. */
export function indexUsers(users: Iterable<TwilioUser>): UserIndex {
  const bySid = new Map<UserSid, TwilioUser>();
  for (const user of users) bySid.set(user.sid, user);
  let names: Omit<UserIndex, 'bySid'> | undefined;
  const named = () => {
    names ??= indexNames(bySid.values());
    return names;
  };
  return {
    bySid,
    get byExternalId() {
      return named().byExternalId;
    },
    get byAddress() {
      return named().byAddress;
    },
    get shared() {
      return named().shared;
    },
  };
}

function indexNames(users: Iterable<TwilioUser>): Omit<UserIndex, 'bySid'> {
  const byExternalId = new Map<ExternalId, TwilioUser>();
  const byAddress = new Map<Email, TwilioUser>();
  const shared = new Map<Email | ExternalId, UserSid[]>();
  for (const user of users) {
    if (user.externalId !== undefined) put(byExternalId, user.externalId, user, shared);
    put(byAddress, normalizeEmail(user.attributes.userName), user, shared);
  }
  for (const sids of shared.values()) sids.sort(compareStrings);
  return { byExternalId, byAddress, shared };
}

/** The stored pairs; the way from user to externalId is made when it is first asked for. */
export function indexLinks(links: Iterable<Link>): Links {
  const byExternalId = new Map<ExternalId, UserSid>();
  for (const { externalId, user } of links) byExternalId.set(externalId, user);
  let byUser: Map<UserSid, ExternalId> | undefined;
  return {
    byExternalId,
    get byUser() {
      byUser ??= new Map(Array.from(byExternalId, ([externalId, user]) => [user, externalId]));
      return byUser;
    },
  };
}

/** The first by SID stays, so that the index is the same for any order of the list. */
function put<Name extends Email | ExternalId>(
  index: Map<Name, TwilioUser>,
  name: Name,
  user: TwilioUser,
  shared: Map<Email | ExternalId, UserSid[]>,
): void {
  const other = index.get(name);
  if (other === undefined || user.sid < other.sid) index.set(name, user);
  if (other !== undefined) shared.set(name, [...(shared.get(name) ?? [other.sid]), user.sid]);
}

export interface CorrelateInput {
  readonly desired: DesiredState;
  readonly users: UserIndex;
  readonly links: Links;
  readonly policy: Policy;
  /** Addresses of creations that were begun and whose end nobody saw: whoever has one now is ours. */
  readonly begun: ReadonlySet<Email>;
}

/** Situations in no particular order; people with nothing to say about them are left out. */
export function* correlate(input: CorrelateInput): Generator<Situation> {
  for (const desired of input.desired.users.values()) {
    if (desired.active) yield situate(desired, input);
  }
  yield* leavers(input);
}

function situate(desired: DesiredUser, input: CorrelateInput): Situation {
  const { users, links, policy } = input;
  const { externalId } = desired;
  const linked = links.byExternalId.get(externalId);
  if (linked !== undefined) {
    const user = users.bySid.get(linked);
    if (user !== undefined) return { is: 'linked', desired, user };
    if (!policy.recreateGone) return { is: 'gone', desired, user: linked };
  }

  const address = normalizeEmail(desired.attributes.userName);
  const namesake = users.byExternalId.get(externalId);
  const sharers = users.shared.get(namesake ? externalId : address);
  if (sharers !== undefined)
    return finding(desired, 'ambiguous', severalUsers(namesake ? externalId : address, sharers));
  const user = namesake ?? users.byAddress.get(address);
  const joiner = { is: 'joiner', desired, reason: linked === undefined ? 'new' : 'gone' } as const;
  if (user === undefined) return joiner;
  const owner = links.byUser.get(user.sid);
  if (namesake !== undefined) {
    return owner === undefined
      ? { is: 'adoptable', desired, user, reason: 'same-external-id' }
      : finding(desired, 'ambiguous', sharedKey(desired, user, owner));
  }
  // A holder who moves away frees the address; the planner sees to that.
  return owner !== undefined || isAwaited(user, input) ? joiner : adoptByAddress(desired, user, input);
}

/** Whether somebody else in scope is to be linked to this user by its externalId. */
function isAwaited({ externalId }: TwilioUser, { desired, links }: CorrelateInput): boolean {
  if (externalId === undefined || links.byExternalId.has(externalId)) return false;
  return desired.users.get(externalId)?.active === true;
}

function adoptByAddress(desired: DesiredUser, user: TwilioUser, { policy, begun }: CorrelateInput): Situation {
  const { userName } = desired.attributes;
  if (user.externalId !== undefined) {
    const message = `${userName} belongs in Twilio to ${user.sid} with externalId ${user.externalId}, not ${desired.externalId}; decide whether it is the same person, then correct the source or remove that user's externalId`;
    return finding(desired, 'recycled-address', message, user);
  }
  if (policy.adoptExisting || begun.has(normalizeEmail(userName))) {
    return { is: 'adoptable', desired, user, reason: 'same-address' };
  }
  const message = `an unmanaged Twilio user ${user.sid} has the address ${userName}; set policy.adoptExisting to manage it`;
  return finding(desired, 'not-adopted', message, user);
}

function severalUsers(name: string, sharers: readonly UserSid[]): string {
  return `Twilio shows ${sharers.join(' and ')} as ${name}; decide which of them is meant, and correct the others`;
}

function sharedKey(desired: DesiredUser, user: TwilioUser, owner: ExternalId): string {
  return `Twilio user ${user.sid} has externalId ${desired.externalId} but is linked to ${owner}; decide who it is`;
}

function finding(
  desired: DesiredUser,
  code: Finding['code'],
  message: string,
  user?: TwilioUser,
): Extract<Situation, { is: 'finding' }> {
  const { externalId, attributes } = desired;
  const sid = user && { user: user.sid };
  return { is: 'finding', finding: { code, externalId, userName: attributes.userName, message, ...sid } };
}

function* leavers({ desired, users, links }: CorrelateInput): Generator<Situation> {
  for (const [externalId, sid] of links.byExternalId) {
    const entry = desired.users.get(externalId);
    if (entry?.active || desired.held.has(externalId)) continue;
    const user = users.bySid.get(sid);
    if (user === undefined) continue;
    const reason = entry ? 'disabled' : desired.outOfScope.has(externalId) ? 'out-of-scope' : 'absent';
    yield { is: 'leaver', externalId, user, reason };
  }
}
