/** People chosen by `--only`: externalIds, normalised addresses or user SIDs. */
import { normalizeEmail, type UserSid } from '../domain/identity.ts';
import type { UserIndex } from './correlate.ts';

export interface Named {
  readonly externalId: string;
  readonly userName?: string;
  readonly user?: UserSid | undefined;
}

/** A person goes by the address that the source wants and by the one that Twilio shows. */
export function namesOf({ userName, user }: Named, users: UserIndex): readonly string[] {
  const shown = user && users.bySid.get(user)?.attributes.userName;
  return [userName, shown].filter((name) => name !== undefined);
}

export function choose(only: ReadonlySet<string> | undefined, users: UserIndex): (named: Named) => boolean {
  if (only === undefined) return () => true;
  return (named) =>
    only.has(named.externalId) ||
    (named.user !== undefined && only.has(named.user)) ||
    namesOf(named, users).some((name) => only.has(normalizeEmail(name)));
}
