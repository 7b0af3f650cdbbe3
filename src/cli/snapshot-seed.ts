import type { TwilioUser } from '../domain/user.ts';
import type { Seed, SeedUser } from '../simulator/seed.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { UsageError } from './usage-error.ts';

/** The mirror of Twilio as a seed, so that a change of rules can be rehearsed on one's own organization. */
export function seedFromSnapshot(snapshot: Snapshot, organizationSid: string): Seed {
  const users = [...snapshot.resources()].map(({ user, resource }): SeedUser => {
    const known = resource === undefined ? fromAttributes(user) : withoutNulls(JSON.parse(resource));
    return { ...known, id: user.sid, userName: user.attributes.userName, active: user.active };
  });
  if (users.length === 0) {
    throw new UsageError('simulator: the snapshot mirrors no user yet', {
      hint: 'run `tdsync reconcile` first, or give --seed',
    });
  }
  const domains = [...new Set(users.map(({ userName }) => userName.slice(userName.indexOf('@') + 1)))];
  return {
    organizationSid,
    domains,
    ownerUserName: null,
    users,
    roles: snapshot.store
      .roles()
      .map(({ sid, name, lowestLevel }) => ({ sid, name, ...(lowestLevel && { lowestLevel }) })),
    accounts: (snapshot.store.accounts() ?? []).map(({ sid, name }) => ({ sid, name })),
    assignments: [...snapshot.store.assignments()].map(({ sid, user, role, scope }) => ({ sid, user, role, scope })),
  };
}

function fromAttributes({ attributes }: TwilioUser): Partial<SeedUser> {
  const { 'name.givenName': givenName, 'name.familyName': familyName, displayName, locale, timezone } = attributes;
  return {
    ...(displayName !== undefined && { displayName }),
    ...(locale !== undefined && { locale }),
    ...(timezone !== undefined && { timezone }),
    name: { ...(givenName !== undefined && { givenName }), ...(familyName !== undefined && { familyName }) },
  };
}

/** Twilio may answer null for what it does not have; a seed leaves it out. */
function withoutNulls<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_key, member: unknown) => (member === null ? undefined : member)));
}
