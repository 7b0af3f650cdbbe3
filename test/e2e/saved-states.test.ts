/** A dry run from files in place of the directory and of Twilio. */
import { describe, expect, test } from 'vitest';
import {
  createWorld,
  type ErrorDocument,
  type Person,
  plantedSecret,
  type RunDocument,
  type StartOptions,
  type World,
} from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben' };

/** As the CSV file of the world has them. */
function saved({ id, groups = [], family = `Family-${id}` }: Person) {
  const entry = {
    mail: `${id}@corp.example`,
    givenName: `Given-${id}`,
    sn: family,
    employeeType: 'employee',
    accountStatus: 'enabled',
  };
  return { id, entry, groups };
}

function lines(...people: readonly Person[]): string {
  return people.map((person) => `${JSON.stringify(saved(person))}\n`).join('');
}

async function twilioFile(world: World): Promise<void> {
  await world.write('twilio.json', JSON.stringify({ ...world.twilio.snapshot(), clients: undefined }));
}

/** Nothing that a secret could be read from. */
const withoutSecret: StartOptions = { environment: { TWILIO_CLIENT_SECRET: undefined } };
const both = ['reconcile', '--dry-run', '--source-file', 'people.jsonl', '--twilio-file', 'twilio.json'];

describe.concurrent('a dry run from saved states', () => {
  test('makes the plan that a run would make if both sides were so, and asks neither of them', async () => {
    await using world = await createWorld();
    await world.people([anna, ben]);
    await world.tdsync('reconcile');
    const changed = [{ ...anna, family: 'Moved' }, { id: 'cleo' }] as const;
    await world.people(changed);
    const live = (await world.tdsync('reconcile', '--dry-run', '--json')).json<RunDocument>();
    await world.people([]);
    await world.write('people.jsonl', lines(...changed));
    await twilioFile(world);
    world.twilio.requests.clear();
    const before = await world.files();

    const run = await world.start([...both, '--json'], withoutSecret).ended;

    const { plan, verdict } = run.json<RunDocument>();
    expect(run.code, run.stderr).toBe(0);
    expect(plan.operations.map(({ id }) => id)).toEqual(['deactivate ben', 'update anna', 'create cleo']);
    expect([plan.digest, plan.basis, verdict]).toEqual([live.plan.digest, live.plan.basis, live.verdict]);
    expect(world.twilio.requests.total).toBe(0);
    expect(await world.files()).toEqual(before);
  });

  test('works without a snapshot, and takes people as `tdsync test` does', async () => {
    await using world = await createWorld();
    await world.write('twilio.json', JSON.stringify({ users: [{ userName: 'anna@corp.example' }] }));
    await world.write(
      'made-up.yaml',
      JSON.stringify({ people: [{ ...saved(anna), expect: 'out-of-scope' }, saved(ben)] }),
    );

    const files = ['--source-file', 'made-up.yaml', '--twilio-file', 'twilio.json'];
    const run = await world.start(['reconcile', '--dry-run', ...files, '--json'], withoutSecret).ended;

    const { plan } = run.json<RunDocument>();
    expect(run.code, run.stderr).toBe(0);
    expect(plan.operations.map(({ kind, userName }) => `${kind} ${userName}`)).toEqual([
      'adopt anna@corp.example',
      'create ben@corp.example',
      'grant anna@corp.example',
    ]);
    expect(Object.keys(await world.files())).toEqual(['made-up.yaml', 'tdsync.yaml', 'twilio.json']);
  });

  test('takes one side from a file and the other from where it is', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    await world.write('people.jsonl', lines(ben));
    const ask = (...files: readonly string[]) => world.tdsync('reconcile', '--dry-run', '--json', ...files);
    await twilioFile(world);

    const source = await ask('--source-file', 'people.jsonl');
    const twilio = await ask('--twilio-file', 'twilio.json');

    const names = [source, twilio].map((run) =>
      run.json<RunDocument>().plan.operations.map(({ userName }) => userName),
    );
    expect(names).toEqual([['ben@corp.example'], ['anna@corp.example', 'anna@corp.example']]);
    expect(source.stderr).toContain('nobody is in the group developers');
  });

  test('holds an entry without a key, as a directory would make a run do', async () => {
    await using world = await createWorld();
    await world.write('people.jsonl', `${JSON.stringify({ ...saved(anna), id: undefined })}\n`);
    await twilioFile(world);

    const { plan } = (await world.tdsync(...both, '--json')).json<RunDocument>();

    expect(plan.operations).toEqual([]);
    expect(plan.findings).toMatchObject([{ code: 'unidentified', message: expect.stringContaining('people.jsonl:1') }]);
  });
});

describe.concurrent('files that are no states', () => {
  test('are refused with everything that is wrong with them', async () => {
    await using world = await createWorld();
    await world.write('people.jsonl', `${lines(anna)}nonsense\n{"id":1,"entry":{}}\n\n{"entry":{"mail":7}}\n`);
    await world.write('twilio.json', '{"users":[{"userName":""}],"more":1}');
    await world.write(
      'circle.json',
      '{"assignments":[{"user":"nobody@corp.example","role":"Developer","scope":"organization"}]}',
    );
    await world.write('other.json', '{"organizationSid":"OR00000000000000000000000000000009"}');
    const ask = (file: string, name: string) => world.tdsync('reconcile', '--dry-run', '--json', file, name);

    const people = await ask('--source-file', 'people.jsonl');
    const others = await Promise.all(
      ['twilio.json', 'circle.json', 'other.json', 'none.json'].map((name) => ask('--twilio-file', name)),
    );

    expect([people, ...others].map(({ code }) => code)).toEqual([64, 64, 64, 64, 64]);
    expect(people.json<ErrorDocument>().error.issues).toEqual([
      { path: '', message: 'is not one JSON object', file: 'people.jsonl', line: 2 },
      { path: 'id', message: 'must be a text, not a number; put it in quotes', file: 'people.jsonl', line: 3 },
      { path: 'entry.mail', message: 'must be a text, not a number; put it in quotes', file: 'people.jsonl', line: 5 },
    ]);
    expect(others[0]?.json<ErrorDocument>().error.issues).toHaveLength(2);
    expect(others[2]?.stderr).toContain('other.json is of the organization OR00000000000000000000000000000009');
  });

  test.each([
    [['--source-file', 'x'], 'go with --dry-run'],
    [['--dry-run', '--twilio-file', 'x', '--out', 'y'], 'do not go with --out'],
    [['--dry-run', '--twilio-file', 'x', '--no-refresh'], 'does not go with --no-refresh'],
  ])('are not asked for with %j', async (args, message) => {
    await using world = await createWorld();

    const { code, stderr } = await world.tdsync('reconcile', ...args);

    expect([code, stderr]).toEqual([64, expect.stringContaining(message)]);
    expect(stderr).not.toContain(plantedSecret);
  });
});
