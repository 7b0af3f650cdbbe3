import { type ExternalId, normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { SnapshotStore } from '../ports.ts';
import { UsageError } from './usage-error.ts';

/** Somebody as the snapshot knows them. */
export interface KnownPerson {
  /** Undefined without a link. */
  readonly externalId: ExternalId | undefined;
  /** Undefined when only the key is known. */
  readonly user: UserSid | undefined;
  readonly userName: string | undefined;
}

/**
 * The person whom an address, an externalId or a user SID names, among linked people and the users last seen in Twilio.
 * Throws UsageError when nobody is meant, or more than one.
 */
export function findPerson(store: SnapshotStore, name: string): KnownPerson {
  const wanted = name.trim();
  const address = normalizeEmail(wanted);
  const byUser = new Map<UserSid, ExternalId>();
  const found = new Map<string, KnownPerson>();
  for (const { externalId, user } of store.links()) {
    byUser.set(user, externalId);
    if (externalId === wanted || user === wanted) found.set(user, { externalId, user, userName: undefined });
  }
  store.users(({ sid, externalId, attributes: { userName } }) => {
    const isMeant = sid === wanted || externalId === wanted || normalizeEmail(userName) === address;
    if (isMeant || found.has(sid)) found.set(sid, { externalId: byUser.get(sid), user: sid, userName });
  });
  const [person, ...others] = found.values();
  if (person === undefined) {
    throw new UsageError(`"${name}" is nobody whom the snapshot knows`, {
      hint: 'name an address, a key of the source, or a user SID (US…), as the last run saw them',
    });
  }
  if (others.length > 0) {
    const who = [person, ...others].map(({ user, externalId }) => `${user}${externalId ? ` (${externalId})` : ''}`);
    throw new UsageError(`"${name}" could mean ${who.join(' or ')}; name the user SID`);
  }
  return person;
}

/** For messages: the address, else the key, else the SID. */
export function nameOf({ userName, externalId, user }: KnownPerson): string {
  return userName ?? externalId ?? user ?? 'somebody';
}
