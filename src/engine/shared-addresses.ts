import type { Location } from '../domain/entry.ts';
import { compareStrings, type Email } from '../domain/identity.ts';
import type { Finding } from '../domain/plan.ts';
import type { DesiredUser } from '../domain/user.ts';

/** An entry without a key that has an address. */
export interface Namesake {
  readonly address: Email;
  readonly active: boolean;
  readonly location: Location;
}

/** A finding for each active person whose address another active entry has, with or without a key. */
export function sharedAddresses(users: Iterable<DesiredUser>, keyless: readonly Namesake[]): readonly Finding[] {
  const nameless = new Map<Email, Location[]>();
  for (const { address, active, location } of keyless) {
    if (active) nameless.set(address, [...(nameless.get(address) ?? []), location]);
  }
  const holders = new Map<Email, DesiredUser>();
  const shared = new Map<Email, DesiredUser[]>();
  for (const user of users) {
    if (!user.active) continue;
    // The mapping has normalised it already.
    const address = user.attributes.userName as Email;
    const first = holders.get(address);
    if (first === undefined) holders.set(address, user);
    if (first !== undefined) shared.set(address, [...(shared.get(address) ?? [first]), user]);
    else if (nameless.has(address)) shared.set(address, [user]);
  }
  return [...shared].flatMap(([userName, people]) => {
    const unnamed = (nameless.get(userName) ?? []).map((location) => `an entry without a key (${location})`);
    const places = [...people.map(({ externalId, location }) => `${externalId} (${location})`), ...unnamed];
    const message = `the address ${userName} belongs to ${places.sort(compareStrings).join(' and ')}; none of them is touched until the source gives it to one`;
    return people.map(({ externalId }): Finding => ({ code: 'duplicate-address', externalId, userName, message }));
  });
}
