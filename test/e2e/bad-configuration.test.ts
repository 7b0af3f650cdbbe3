import { mkdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { createWorld, type ErrorDocument, type Person, type Result, type World } from '../support/world.ts';

const people: Person[] = [{ id: 'anna', groups: ['developers'] }];

let world: World;
let good: string;
beforeAll(async () => {
  world = await createWorld({
    seed: {
      roles: [
        { name: 'Developer' },
        { name: 'Twin' },
        { name: 'Twin' },
        { name: 'Manager', lowestLevel: 'ORGANIZATION' },
      ],
      accounts: [{ name: 'Production' }, { name: 'Spare' }, { name: 'Spare' }],
    },
  });
  await world.people(people);
  good = await readFile(world.path('tdsync.yaml'), 'utf8');
});
/** Nothing of all this reached Twilio, and no snapshot was begun for what could be seen offline. */
afterAll(async () => {
  expect(world.twilio.requests.writes).toBe(0);
  await world[Symbol.asyncDispose]();
});

let files = 0;
/** Runs with another configuration file in the same folder. */
async function runWith(text: string | Buffer, ...args: readonly string[]): Promise<Result & { readonly file: string }> {
  const file = await world.write(`other-${files++}.yaml`, text);
  return { ...(await world.tdsync('-c', file, ...(args.length > 0 ? args : ['reconcile', '--json']))), file };
}

/** The good file with one text in the place of another, which it must hold. */
function changed(from: string, to: string): string {
  expect(good).toContain(from);
  return good.replace(from, to);
}

/** 1-based line of the first line that holds the text. */
function lineOf(text: string, part: string): number {
  return text.split('\n').findIndex((line) => line.includes(part)) + 1;
}

describe.concurrent('a configuration that cannot be read ends with 78', () => {
  test('when the file is missing, and names it', async () => {
    const run = await world.tdsync('-c', world.path('missing.yaml'), 'reconcile', '--json');

    expect(run.code).toBe(78);
    expect(run.json<ErrorDocument>().error).toMatchObject({
      code: 'config',
      message: `${world.path('missing.yaml')}: there is no such configuration file`,
      hint: expect.stringContaining('--config'),
    });
  });

  test('when it is a folder', async () => {
    await mkdir(world.path('folder.yaml'));

    const run = await world.tdsync('-c', world.path('folder.yaml'), 'status');

    expect([run.code, run.stderr]).toEqual([78, expect.stringContaining('is a folder')]);
  });

  test.for([
    ['empty', '', 'is empty'],
    ['a list', '- twilio\n', 'must hold keys and values'],
    ['not UTF-8', Buffer.from('filter: "M\xfcller"\n', 'latin1'), 'is not in UTF-8'],
    ['broken YAML', 'twilio:\n  oauth: {\n', 'is not valid YAML'],
    [
      'a key twice',
      'log:\n  level: info\nlog:\n  level: warn\n',
      ':3: log: stands here a second time; first on line 1',
    ],
  ] as const)('when it is %s', async ([, text, message]) => {
    const run = await runWith(text);

    expect([run.code, run.stderr]).toEqual([78, expect.stringContaining(message)]);
    expect(run.stderr).toContain(run.file);
  });
});

describe.concurrent('a configuration that is wrong ends with 78', () => {
  test('and lists every error at once, each with its line', async () => {
    const text = changed('adoptExisting: true', 'adoptExisting: maybe')
      .replace('filter:', 'filtre:')
      .replace('mode: sync', 'mode: snyc')
      .replace('requestsPerSecond: 100', 'requestsPerSecond: lots')
      .replace('id: employeeId', 'key: employeeId')
      .replace(/organizationSid: OR\w+/, 'organizationSid: AC1');

    const run = await runWith(text, 'config', 'check', '--json');

    const { issues = [] } = run.json<ErrorDocument>().error;
    expect(run.code).toBe(78);
    expect(issues.map(({ path, line }) => [path, line])).toEqual([
      ['twilio.organizationSid', lineOf(text, 'organizationSid')],
      ['twilio.limits.requestsPerSecond', lineOf(text, 'requestsPerSecond')],
      ['source.id', lineOf(text, 'source:')],
      ['source.key', lineOf(text, 'key:')],
      ['filtre', lineOf(text, 'filtre')],
      ['policy.mode', lineOf(text, 'snyc')],
      ['policy.adoptExisting', lineOf(text, 'maybe')],
    ]);
    expect(run.stderr).toContain(
      `${run.file}:${lineOf(text, 'filtre')}: filtre: is not a known key; did you mean filter?`,
    );
  });

  test('when policy.mode is not written down', async () => {
    const run = await runWith(changed('  mode: sync\n', ''));

    expect([run.code, run.stderr]).toEqual([78, expect.stringMatching(/:\d+: policy\.mode: is required/)]);
  });

  test('when a secret stands in it, without repeating it', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference to a secret
    const run = await runWith(changed('${env:TWILIO_CLIENT_SECRET}', 'hunter2'));

    expect([run.code, run.stderr]).toEqual([78, expect.stringMatching(/:\d+: twilio\.oauth\.clientSecret: /)]);
    expect(run.stdout + run.stderr).not.toContain('hunter2');
  });

  test('when an expression is no CEL, or asks for what is not there', async () => {
    const broken = await runWith(changed('filter: entry.employeeType', 'filter: (entry.employeeType'));
    const unknown = await runWith(changed('filter: entry.employeeType', 'filter: person.employeeType'));

    expect([broken.code, broken.stderr]).toEqual([
      78,
      expect.stringContaining(`:${lineOf(good, 'filter:')}: filter: `),
    ]);
    expect([unknown.code, unknown.stderr]).toEqual([78, expect.stringMatching(/filter: .*person/)]);
  });

  test('when a rule names a group and the source has none', async () => {
    const { source, ...rest } = parse(good) as Record<string, { groups?: unknown }>;

    const run = await runWith(stringify({ ...rest, source: { ...source, groups: undefined } }));

    expect([run.code, run.stderr]).toEqual([
      78,
      expect.stringMatching(/source: has no groups, but a role rule names one/),
    ]);
  });

  test('when an environment variable means nothing, which is named with what was meant', async () => {
    const run = await world.start(['reconcile'], { environment: { TDSYNC_LOGLEVEL: 'debug' } }).ended;

    expect([run.code, run.stderr]).toEqual([
      78,
      expect.stringContaining('TDSYNC_LOGLEVEL has no meaning; did you mean TDSYNC_LOG_LEVEL?'),
    ]);
  });

  test('when the secret is not there at the time of the run', async () => {
    const unset = await world.start(['reconcile', '--json'], { environment: { TWILIO_CLIENT_SECRET: undefined } })
      .ended;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference to a secret
    const file = await runWith(changed('${env:TWILIO_CLIENT_SECRET}', '${file:nowhere.txt}'), 'roles');

    expect([unset.code, unset.stderr]).toEqual([78, expect.stringContaining('TWILIO_CLIENT_SECRET is not set')]);
    expect(unset.json<ErrorDocument>().error.issues).toMatchObject([
      { path: 'twilio.oauth.clientSecret', line: lineOf(good, 'clientSecret') },
    ]);
    expect([file.code, file.stderr]).toEqual([78, expect.stringContaining('the file does not exist')]);
  });
});

describe('a rule whose names do not resolve ends with 78 before anybody is looked at', () => {
  test.for([
    ['a role that does not exist', 'role: Developer', 'role: Develloper', /no role is named "Develloper"/],
    ['a role in another letter case', 'role: Developer', 'role: developer', /no role is named "developer".*Developer/],
    ['a role of two families', 'role: Developer', 'role: Twin', /Twin.*IX\w+.*IX\w+/],
    ['a role that only the organization can give', 'role: Developer', 'role: Manager', /Manager.*only .*organization/],
    ['an account that does not exist', 'scope: Production', 'scope: Prodution', /Prodution/],
    ['an account of two of the same name', 'scope: Production', 'scope: Spare', /Spare.*AC\w+.*AC\w+/],
  ] as const)('%s', async ([, from, to, message]) => {
    const text = changed(from, to);
    world.twilio.requests.clear();

    const run = await runWith(text);

    const { error } = run.json<ErrorDocument>();
    expect(run.code).toBe(78);
    expect(error.issues).toMatchObject([
      {
        path: `roles[0].grants[0].${from.split(':')[0]}`,
        file: run.file,
        line: lineOf(text, to),
        message: expect.stringMatching(message),
      },
    ]);
    expect(world.twilio.requests.counts).not.toHaveProperty('GET /scim/v2/Users');
  });
});
