/** A directory that is not read to its end makes no plan, whatever ends the read and wherever: every failure × every point of the read. */
import { afterAll, beforeAll, describe, test } from 'vitest';
import {
  answer,
  type Failure,
  failures,
  type Point,
  points,
  scriptedBindDn,
  scriptedGroups,
  scriptedUsers,
} from '../support/completeness.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { expectIncompleteRun } from '../support/incomplete-runs.ts';
import { type LdapServer, startLdapServer } from '../support/ldap-server.ts';
import { createWorld, type World } from '../support/world.ts';

let server: LdapServer;
let world: World;
let now: { readonly point: Point; readonly failure: Failure } | undefined;

beforeAll(async () => {
  server = await startLdapServer({
    bind: () => (now?.point.at === 'bind' ? now.failure.replies : [{ done: {} }]),
    search: (search) => answer(search, now?.point, now?.failure),
  });
  world = await createWorld({ seed: { domains: ['corp.example'] } });
  await world.write('password', 'sync password');
  await configure('10s');
  const first = await reconcileInProcess(world);
  const second = await reconcileInProcess(world);
  if (first.code !== 0 || second.report?.status !== 'converged')
    throw first.error ?? new Error(JSON.stringify([first, second]));
});

afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await server.stop();
});

async function configure(patience: string): Promise<void> {
  await world.configure({
    source: {
      type: 'ldap',
      url: server.url,
      bindDn: scriptedBindDn,
      bindPassword: `\${file:password}`,
      users: { baseDn: scriptedUsers },
      groups: { baseDn: scriptedGroups },
      pageSize: 2,
      timeouts: { connect: patience, operation: patience },
    },
    filter: 'entry.uid != ""',
    attributes: { userName: 'mail', 'name.givenName': 'givenName', 'name.familyName': 'sn', displayName: 'cn' },
    roles: [
      { group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] },
      { group: 'operators', grants: [{ role: 'Support', scope: 'Production' }] },
    ],
  });
}

describe.each(points)('$name', (point) => {
  test.each(failures)('$name', async (failure) => {
    now = { point, failure };
    // Silence is waited for in vain, so not for long. A busy machine may then take an earlier answer for silence, at another place.
    const isSilent = failure.replies[0] === 'silence';
    await configure(isSilent ? '100ms' : '10s');

    await expectIncompleteRun(world, 'scripted', `${point.name}: ${failure.name}`, {
      says: [server.url, failure.says, ...placeOf(point, failure, isSilent)],
      hint: /\w{3}/,
    });
  });
});

/** What the message has of where it happened. */
function placeOf(point: Point, failure: Failure, isSilent: boolean): readonly (string | RegExp)[] {
  if (point.at === 'bind') return failure.code === undefined ? [] : [scriptedBindDn];
  if (isSilent) return [/(?:users|groups) below .* with filter .* on page \d after \d entr/];
  return [
    point.says,
    ...(point.at.what === 'groups'
      ? [`groups below "${scriptedGroups}" with filter`, '(cn=developers)']
      : [`reading users below "${scriptedUsers}" with filter (objectClass=inetOrgPerson)`]),
  ];
}
