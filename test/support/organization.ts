/** What a simulated organization holds, without what may differ between two ways to the same end: SIDs, versions, times. */
import type { Simulator } from '../../src/simulator/simulator.ts';

export interface OrganizationPicture {
  readonly users: readonly object[];
  /** `address: role in scope`, sorted; an assignment that stands there twice is there twice. */
  readonly assignments: readonly string[];
}

export function pictureOf(twilio: Simulator): OrganizationPicture {
  const { users = [], assignments = [], roles = [], accounts = [] } = twilio.snapshot();
  const addresses = new Map(users.map((user) => [user.id ?? '', user.userName]));
  const names = new Map([...roles, ...accounts].map(({ sid, name }) => [sid ?? '', name]));
  return {
    users: users
      .map(({ id: _id, meta: _meta, ...user }) => user)
      .sort((a, b) => (a.userName < b.userName ? -1 : a.userName > b.userName ? 1 : 0)),
    assignments: assignments
      .map(({ user, role, scope }) => `${addresses.get(user)}: ${names.get(role)} in ${names.get(scope) ?? scope}`)
      .sort(),
  };
}

/** Addresses that were welcomed as new more than once. */
export function mailedTwice({ state }: Simulator): readonly string[] {
  const addresses = state.mails.filter(({ reason }) => reason === 'created').map(({ to }) => to);
  return addresses.filter((address, index) => addresses.indexOf(address) !== index);
}

/** Assignments of one role in one scope to one person that exist more than once. */
export function assignedTwice(twilio: Simulator): readonly string[] {
  const { assignments } = pictureOf(twilio);
  return assignments.filter((assignment, index) => assignments[index - 1] === assignment);
}
