/** People of a directory who come, change and go at random, and what Twilio must look like because of it. */
import { givenNameOf, groupsDn, personDn, personUid } from '../support/directory-ldif.ts';
import type { DirectoryAdministration } from '../support/ldap-world.ts';
import type { Chance } from './random.ts';

interface Somebody {
  readonly index: number;
  mail: string;
  given: string;
  family: string;
  display: string;
  onLeave: boolean;
  contractor: boolean;
  readonly groups: Set<Group>;
  /** Active since all was quiet last, and so in Twilio under this address. */
  settled: boolean;
  /** Has swapped addresses since then, and must not leave: an address that a leaver holds goes to nobody until a person decides. */
  swapped: boolean;
}

export const groups = ['developers', 'operators'] as const;
export type Group = (typeof groups)[number];

export interface ExpectedPerson {
  readonly userName: string;
  readonly displayName: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly groups: readonly Group[];
}

export interface SoakDirectory {
  /** Changes one thing; returns what, for the counts. */
  change(directory: DirectoryAdministration): Promise<string>;
  /** Who must be active in Twilio, by address; nobody else may be. */
  /** Twilio is what the directory says. */
  settle(): void;
  expected(): ReadonlyMap<string, ExpectedPerson>;
}

/** `people` are those of the seed, as directory-ldif.ts makes them; `members` says which of them are in which group. */
export function createSoakDirectory(
  people: number,
  members: Readonly<Record<Group, readonly number[]>>,
  chance: Chance,
): SoakDirectory {
  const here = new Map<number, Somebody>();
  for (let index = 0; index < people; index += 1) {
    here.set(index, {
      index,
      mail: `${personUid(index)}@example.com`,
      given: givenNameOf(index),
      family: `User${index}`,
      display: `${givenNameOf(index)} User${index}`,
      onLeave: false,
      contractor: false,
      groups: new Set(groups.filter((group) => members[group].includes(index))),
      settled: false,
      swapped: false,
    });
  }
  let nextIndex = people;
  let nextName = 0;
  const everybody = () => [...here.values()];
  const sizeOf = (group: Group) => everybody().filter((each) => each.groups.has(group)).length;

  async function join(person: Somebody, group: Group, directory: DirectoryAdministration): Promise<void> {
    await directory.join(`cn=${group},${groupsDn}`, personDn(person.index));
    person.groups.add(group);
  }

  async function leave(person: Somebody, group: Group, directory: DirectoryAdministration): Promise<void> {
    await directory.leave(`cn=${group},${groupsDn}`, personDn(person.index));
    person.groups.delete(group);
  }

  const changes: Readonly<Record<string, (person: Somebody, directory: DirectoryAdministration) => Promise<void>>> = {
    async 'joins the company'(_, directory) {
      if (here.size >= people * 1.3) return;
      const index = nextIndex++;
      const person: Somebody = {
        index,
        mail: `${personUid(index)}@example.com`,
        given: 'Nova',
        family: `User${index}`,
        display: `Nova User${index}`,
        onLeave: chance.happens(0.1),
        contractor: false,
        groups: new Set(),
        settled: false,
        swapped: false,
      };
      await directory.add(personDn(index), {
        objectClass: 'inetOrgPerson',
        uid: personUid(index),
        cn: person.display,
        sn: person.family,
        givenName: person.given,
        mail: person.mail,
        title: person.onLeave ? 'On leave' : 'Agent',
      });
      here.set(index, person);
      const group = chance.pick(groups);
      if (group !== undefined && chance.happens(0.5)) await join(person, group, directory);
    },
    async 'leaves the company'(person, directory) {
      if (person.swapped || here.size <= people * 0.7 || [...person.groups].some((group) => sizeOf(group) <= 2)) return;
      for (const group of person.groups) await leave(person, group, directory);
      await directory.remove(personDn(person.index));
      here.delete(person.index);
    },
    async 'goes on leave, or comes back'(person, directory) {
      if (person.swapped) return;
      person.onLeave = !person.onLeave;
      person.settled = false;
      await directory.replace(personDn(person.index), 'title', person.onLeave ? 'On leave' : 'Agent');
    },
    async 'becomes a contractor, or ceases to be one'(person, directory) {
      if (person.swapped) return;
      person.contractor = !person.contractor;
      person.settled = false;
      const value = person.contractor ? ['contractor'] : [];
      await directory.replace(personDn(person.index), 'employeeType', ...value);
    },
    async 'changes names'(person, directory) {
      person.family = `Renamed${nextName++}`;
      person.display = `${person.given} ${person.family}`;
      await directory.replace(personDn(person.index), 'sn', person.family);
      await directory.replace(personDn(person.index), 'cn', person.display);
    },
    async 'changes the address'(person, directory) {
      if (person.swapped) return;
      person.mail = `renamed.${nextName++}@example.com`;
      await directory.replace(personDn(person.index), 'mail', person.mail);
    },
    async 'swaps addresses with somebody'(person, directory) {
      const other = chance.pick(everybody().filter((each) => each !== person && each.settled));
      if (other === undefined || !person.settled) return;
      person.swapped = true;
      other.swapped = true;
      [person.mail, other.mail] = [other.mail, person.mail];
      await directory.replace(personDn(person.index), 'mail', person.mail);
      await directory.replace(personDn(other.index), 'mail', other.mail);
    },
    async 'joins or leaves a group'(person, directory) {
      const group = chance.pick(groups) ?? 'developers';
      if (!person.groups.has(group)) await join(person, group, directory);
      else if (sizeOf(group) > 2) await leave(person, group, directory);
    },
  };
  // Moves are frequent, swaps are rare.
  const weighted = Object.keys(changes).flatMap((name) =>
    Array<string>(name.startsWith('swaps') ? 1 : name.includes('group') ? 8 : 3).fill(name),
  );

  return {
    async change(directory) {
      const name = chance.pick(weighted) ?? '';
      const person = chance.pick(everybody());
      if (person !== undefined) await changes[name]?.(person, directory);
      return name;
    },
    settle() {
      for (const person of everybody()) {
        person.settled = !person.onLeave && !person.contractor;
        person.swapped = false;
      }
    },
    expected: () =>
      new Map(
        everybody()
          .filter(({ onLeave, contractor }) => !onLeave && !contractor)
          .map((person) => [
            person.mail,
            {
              userName: person.mail,
              displayName: person.display,
              givenName: person.given,
              familyName: person.family,
              groups: [...person.groups].toSorted(),
            },
          ]),
      ),
  };
}
