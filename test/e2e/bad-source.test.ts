import { chmod, mkdir, rm, symlink, utimes } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { expectConverged, settle } from '../support/convergence.ts';
import { createWorld, type ErrorDocument, type Person, unprivileged, type World } from '../support/world.ts';

const people = Array.from({ length: 5 }, (_, index): Person => ({ id: `p${index}`, groups: ['developers'] }));
const header = 'employeeId,mail,givenName,sn,employeeType,accountStatus,groups';
const row = (id: string) => `${id},${id}@corp.example,Given,Family,employee,enabled,developers`;
const lines = (...rows: readonly string[]) => rows.map((line) => `${line}\n`).join('');

const nobody = unprivileged();

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.people(people);
  await settle(world);
});
afterAll(() => world[Symbol.asyncDispose]());

beforeEach(() => world.twilio.requests.clear());
/** Nothing that a bad file led to may be left over for the next good one. */
afterEach(async () => {
  await rm(world.path('people.csv'), { recursive: true, force: true });
});

/** Exit 5 and nothing changed in Twilio; returns the error. */
async function expectRefused(): Promise<ErrorDocument['error']> {
  const run = await world.tdsync('reconcile', '--json');

  expect([run.code, world.twilio.requests.writes], run.stdout.slice(-2_000)).toEqual([5, 0]);
  expect(run.stderr).toContain(world.path(''));
  return run.json<ErrorDocument>().error;
}

describe('a file that proves nothing is refused, named by place, and nothing is written', () => {
  test.for([
    ['is empty', '', /people\.csv: is empty/],
    ['holds the header alone', `${header}\n`, /people\.csv: 0 rows, at least 1 expected/],
    ['holds blank lines alone', `${header}\n\n\n`, /people\.csv: 0 rows/],
    [
      'ends in the middle of a quoted field',
      lines(header, row('p0'), '"p1,p1@corp'),
      /people\.csv:3: .*quote .* not closed/,
    ],
    [
      'ends in the middle of a row',
      `${lines(header, row('p0'))}p1,p1@corp.example,Giv`,
      /people\.csv:3: .*3 fields.*7/,
    ],
    ['has a row that is too long', lines(header, row('p0'), `${row('p1')},more`), /people\.csv:3: .*8 fields.*7/],
    [
      'holds text behind a closing quote',
      lines(header, `"p0"x${row('p0').slice(2)}`),
      /people\.csv:2: .*closing quote/,
    ],
    [
      'is in another encoding',
      Buffer.from(lines(header, row('p0'), row('p1').replace('Family', 'Müller')), 'latin1'),
      /people\.csv:3: .*0xFC does not fit UTF-8/,
    ],
    ['lacks a mapped column', lines(header.replace(',sn,', ',surname,'), row('p0')), /people\.csv:1: no column "sn"/],
    [
      'has a mapped column twice',
      lines(`${header},mail`, `${row('p0')},x`),
      /people\.csv:1: column "mail" stands 2 times/,
    ],
    ['lacks the key', lines(header.replace('employeeId', 'id'), row('p0')), /people\.csv:1: no column "employeeId"/],
    ['has another delimiter', lines(header, row('p0')).replaceAll(',', '|'), /people\.csv:1: .*no column/],
    ['lacks the group of a rule', lines(header, row('p0').replace('developers', 'developer')), /group "developers"/],
    ['is an archive', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xfe]), /people\.csv/],
  ] as const)('when it %s', async ([, content, message]) => {
    await world.write('people.csv', content);

    const error = await expectRefused();

    expect(error).toMatchObject({
      code: 'source-incomplete',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });

  test('when it is not there', async () => {
    const error = await expectRefused();

    expect(error).toMatchObject({
      code: 'source-unavailable',
      message: expect.stringMatching(/people\.csv: .*no such file/),
    });
  });

  test('when it is a folder, or a link into nowhere', async () => {
    await mkdir(world.path('people.csv'));
    const folder = await expectRefused();
    await rm(world.path('people.csv'), { recursive: true });
    await symlink(world.path('gone.csv'), world.path('people.csv'));
    const link = await expectRefused();

    expect(folder.message).toContain('is a directory');
    expect(link.message).toContain('no such file');
  });

  test.skipIf(nobody === undefined)('when it may not be read', async () => {
    await using guarded = await createWorld();
    await guarded.people(people);
    await chmod(guarded.path('people.csv'), 0o000);
    await chmod(guarded.folder, 0o777);

    const run = await guarded.start(['reconcile'], nobody).ended;

    expect([run.code, run.stderr]).toEqual([5, expect.stringMatching(/people\.csv: .*permission denied/)]);
    expect(guarded.twilio.requests.writes).toBe(0);
  });
});

describe('a file that is doubtful by configuration is refused', () => {
  const source = { type: 'csv', users: 'people.csv', id: 'employeeId', groups: { column: 'groups', separator: ';' } };
  afterEach(() => world.configure());

  test('when it is older than maxAge', async () => {
    await world.configure({ source: { ...source, maxAge: '24h' } });
    await world.people(people);
    const old = Date.now() / 1_000 - 3 * 86_400;
    await utimes(world.path('people.csv'), old, old);

    expect((await expectRefused()).message).toContain('longer than source.maxAge');
  });

  test('when it has fewer rows than minRows, or than the export says', async () => {
    await world.people(people);
    await world.configure({ source: { ...source, minRows: 6 } });
    const few = await expectRefused();
    await world.write('people.count', '6\n');
    await world.configure({ source: { ...source, expectRowsFrom: 'people.count' } });
    const other = await expectRefused();

    expect(few.message).toContain('5 rows, at least 6 expected');
    expect(other.message).toMatch(/5 rows, where .*people\.count says 6/);
  });

  test('when memberships name nobody of a rule any more', async () => {
    await world.people(people.map((person) => ({ ...person, groups: [] })));
    await world.write('memberships.csv', 'person,group\np0,developer\n');
    const { groups: _, ...rest } = source;
    await world.configure({ source: { ...rest, memberships: 'memberships.csv' } });

    const error = await expectRefused();

    expect(error.message).toContain('"developers"');
  });
});

test('after all that a good file finds everything as it was', async () => {
  await world.people(people);

  await expectConverged(world);
});
