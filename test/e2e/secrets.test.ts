import { chmod } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { createWorld, type Person, plantedSecret, type StartOptions } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
/** Every output of every process is searched for the secret and for tokens by the world itself. */
const debug = ['--log-level', 'debug'];

describe.concurrent('no secret and no token is found', () => {
  test('in reports, logs, plans, the snapshot or its history', async () => {
    await using world = await createWorld();
    await world.people([anna, { id: 'ben' }]);

    await world.tdsync('reconcile', '--dry-run', '--out', world.path('plan.json'), ...debug);
    await world.tdsync('apply', world.path('plan.json'), ...debug);
    await world.people([{ ...anna, family: 'Moved' }, { id: 'ben' }]);
    await world.tdsync('reconcile', '--json');
    const looks = [['status'], ['runs'], ['doctor', '--json'], ['roles'], ['config', 'check', '--json']];
    const runs = await Promise.all(looks.map((args) => world.tdsync(...args)));

    expect(runs.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(await world.leaks()).toEqual([]);
  });

  test('when Twilio refuses the secret, or echoes the token in an error', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    const [client] = world.twilio.state.clients.values();
    const clientId = client?.clientId ?? '';
    const echo = {
      message: `Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl is not valid`,
      code: 20001,
      status: 400,
    };

    world.twilio.faults.add({ match: { path: '/scim/v2/Users' }, fault: { status: 400, body: echo } });
    const echoed = await world.tdsync('reconcile', ...debug);
    world.twilio.faults.clear();
    world.twilio.state.setClient({ clientId, clientSecret: 'another' });
    const refused = await world.tdsync('reconcile', ...debug);

    expect([echoed.code, echoed.stderr]).toEqual([6, expect.stringContaining('[token]')]);
    expect([refused.code, refused.stderr]).toEqual([6, expect.stringContaining('invalid client_id or client_secret')]);
    expect(await world.leaks()).toEqual([]);
  });

  test('when the configuration is wrong around it', async () => {
    await using world = await createWorld();
    const { organizationSid, ...twilio } = {
      organizationSid: 'OR1',
      oauth: { clientId: plantedSecret, clientSecret: plantedSecret },
    };
    await world.configure({ twilio: { organizationSid, ...twilio } });
    const literal = await world.tdsync('config', 'check');
    await world.write('tdsync.yaml', `twilio:\n  oauth:\n    clientSecret: "${plantedSecret}\n  : x`);
    const broken = await world.tdsync('reconcile', '--json');

    expect([literal.code, broken.code]).toEqual([78, 78]);
    expect(literal.stderr).toMatch(/tdsync\.yaml:\d+: twilio\.oauth\.clientSecret: .*\$\{env:NAME\}/);
  });

  test('when it stands in a file, and the file is read anew', async () => {
    await using world = await createWorld();
    await world.people([anna]);
    const secret = await world.write('secret.txt', `${plantedSecret}\n`);
    await chmod(secret, 0o600);
    const clientId = [...world.twilio.state.clients.keys()][0];
    const url = world.twilio.url;
    await world.configure({
      twilio: {
        organizationSid: world.twilio.state.organizationSid,
        oauth: { clientId, clientSecret: `\${file:secret.txt}` },
        endpoints: { iam: url, oauth: url, accounts: url },
      },
    });

    const run = await world.start(['reconcile', ...debug], withoutVariable).ended;

    expect([run.code, run.stdout]).toEqual([0, expect.stringContaining('applied')]);
    expect(await world.leaks()).toEqual(['secret.txt']);
  });
});

const withoutVariable: StartOptions = { environment: { TWILIO_CLIENT_SECRET: undefined } };
