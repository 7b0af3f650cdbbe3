/** The copy of Twilio's users, roles and assignments, as far as others than the snapshot know of it. */
import type { ScopeSid, UserSid } from './identity.ts';
import type { TwilioUser } from './user.ts';

/** Age of the mirror: milliseconds since the epoch of each last complete refresh; undefined means never. */
export interface MirrorAges {
  readonly users: number | undefined;
  readonly roles: number | undefined;
  readonly assignments: ReadonlyMap<ScopeSid, number>;
}

/** The list of users as it was before: what came after a user, or at the start, where that is known. */
export interface KnownList {
  after(user: UserSid | ''): KnownStretch | undefined;
}

/** Some users that followed one another in the list. */
export interface KnownStretch {
  /** Size of their resources, parted by single commas. */
  readonly bytes: number;
  /** The users, when the list has the same bytes again. */
  recognise(bytes: Uint8Array): readonly TwilioUser[] | undefined;
}

/** A new reading of all users, on its way into the mirror; stretches that are recognised are in it already. */
export interface UserRefresh extends KnownList {
  add(user: TwilioUser, resource: string): void;
  finish(at: number): void;
}
