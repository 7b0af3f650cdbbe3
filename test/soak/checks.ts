/** What must hold when all is quiet, and of the snapshot whenever its process was killed. */
import Sqlite from 'better-sqlite3';
import { historyOf } from '../support/in-process.ts';
import type { LdapWorld } from '../support/ldap-world.ts';
import { assignedTwice, mailedTwice, pictureOf } from '../support/organization.ts';
import type { ExpectedPerson } from './directory.ts';

interface SeenUser {
  readonly userName: string;
  readonly displayName?: string;
  readonly name?: { readonly givenName?: string; readonly familyName?: string };
  readonly active?: boolean;
}

/** How Twilio differs from what the directory says, and what was done twice. */
export function differences(
  world: LdapWorld,
  expected: ReadonlyMap<string, ExpectedPerson>,
  untouched: ReadonlySet<string>,
): readonly string[] {
  const { users, assignments } = pictureOf(world.twilio);
  const roles = { developers: 'Developer in Production', operators: 'Support in Production' } as const;
  const rolesOf = (address: string) =>
    assignments.filter((each) => each.startsWith(`${address}: `)).map((each) => each.slice(address.length + 2));
  const should = [...expected.values()].map(({ groups, ...person }) => ({
    ...person,
    roles: groups.map((group) => roles[group]).toSorted(),
  }));
  const is = (users as readonly SeenUser[])
    .filter(({ userName }) => !untouched.has(userName))
    .map(({ userName, displayName, name = {}, active }) => ({
      active: active !== false,
      person: { userName, displayName, ...name, roles: rolesOf(userName).toSorted() },
    }));
  const active = new Map(is.filter((each) => each.active).map(({ person }) => [person.userName, person]));
  const [last] = historyOf(world);
  return [
    ...should
      .filter((person) => JSON.stringify(active.get(person.userName)) !== JSON.stringify(person))
      .map((person) => `should be ${JSON.stringify(person)}, is ${JSON.stringify(active.get(person.userName))}`),
    ...[...active.keys()]
      .filter((address) => !expected.has(address))
      .map((address) => `${address} should not be active`),
    ...is
      .filter(({ active: isActive, person }) => !isActive && person.roles.length > 0)
      .map(({ person }) => `${person.userName} has left, and has ${person.roles.join(', ')}`),
    ...mailedTwice(world.twilio).map((address) => `${address} was welcomed twice`),
    ...assignedTwice(world.twilio).map((assignment) => `twice: ${assignment}`),
    ...(last?.summary.status === 'converged' ? [] : [`the last run is ${last?.summary.status}`]),
    ...(last?.findings ?? []).map(({ code, message }) => `finding ${code}: ${message}`),
  ];
}

/** What is wrong with the snapshot's file. */
export function damage(world: LdapWorld): readonly string[] {
  const connection = new Sqlite(world.path('tdsync.db'), { readonly: true });
  const found = connection.pragma('integrity_check', { simple: true });
  connection.close();
  return found === 'ok' ? [] : [`the snapshot is damaged: ${String(found)}`];
}
