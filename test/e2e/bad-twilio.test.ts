import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { TargetAuthError } from '../../src/errors.ts';
import type { FaultRule } from '../../src/simulator/faults.ts';
import { type PermissionName, permissionNames } from '../../src/simulator/permissions.ts';
import type { Quirks } from '../../src/simulator/quirks.ts';
import { makeCa, makeServerCertificate } from '../support/certificates.ts';
import { expectConverged, reconcile, settle, wideGuards } from '../support/convergence.ts';
import { reconcileInProcess } from '../support/in-process.ts';
import { createWorld, type ErrorDocument, type Person, type RunDocument, type World } from '../support/world.ts';

const anna: Person = { id: 'anna', groups: ['developers'] };
const ben: Person = { id: 'ben', groups: ['developers'] };

/** Anna and Ben are in step; the next run has a role to take, a person to deactivate, one to change and one to create. */
async function worldInMotion(): Promise<World> {
  const world = await createWorld({ sections: { guards: wideGuards } });
  await world.people([anna, ben]);
  await settle(world);
  await world.people([
    { ...anna, family: 'Moved' },
    { id: 'carl', groups: ['developers'] },
  ]);
  world.twilio.requests.clear();
  return world;
}

/** Exit 6, nothing written; returns the error. */
async function expectFailure(world: World, ...args: readonly string[]): Promise<ErrorDocument['error']> {
  const run = await world.tdsync('reconcile', '--json', ...args);

  expect([run.code, world.twilio.requests.writes], run.stdout.slice(-2_000)).toEqual([6, 0]);
  return run.json<ErrorDocument>().error;
}

function withPermissions(world: World, permissions: readonly PermissionName[]): void {
  const [client] = world.twilio.state.clients.values();
  const { clientId = '', clientSecret = '' } = client ?? {};
  world.twilio.state.setClient({ clientId, clientSecret, permissions });
}

function endpointsAt(world: World, url: string) {
  const [clientId] = world.twilio.state.clients.keys();
  return {
    guards: wideGuards,
    twilio: {
      organizationSid: world.twilio.state.organizationSid,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference to a secret
      oauth: { clientId, clientSecret: '${env:TWILIO_CLIENT_SECRET}' },
      endpoints: { iam: url, oauth: url, accounts: url },
      limits: { requestsPerSecond: 100, timeout: '2s' },
    },
  };
}

describe.concurrent('Twilio refuses the program', () => {
  test('by its secret: nothing else is asked', async () => {
    await using world = await worldInMotion();

    const run = await world.start(['reconcile', '--json'], { environment: { TWILIO_CLIENT_SECRET: 'wrong' } }).ended;

    expect(run.code).toBe(6);
    expect(run.json<ErrorDocument>().error).toMatchObject({
      code: 'twilio-unauthorized',
      hint: expect.stringContaining('clientSecret'),
    });
    expect(world.twilio.requests.counts).toEqual({ 'POST /v2/token': 1 });
  });

  test.for(['managed-users/list', 'role-assignments/list', 'roles/list'] as const)(
    'by the permission %s, which is named',
    async (missing) => {
      await using world = await worldInMotion();
      withPermissions(
        world,
        permissionNames.filter((name) => name !== missing),
      );

      const error = await expectFailure(world, '--refresh');

      expect(error).toMatchObject({
        code: 'twilio-unauthorized',
        message: expect.stringContaining(missing),
        hint: expect.any(String),
      });
    },
  );

  test.for(['403-20003', '401-20003', '401-70051', '403-25018', '403-25105', '403-25107'] as const)(
    'with %s, one way of Twilio to say that a permission is missing',
    async (permissionRefusal) => {
      await using world = await createWorld({ quirks: { permissionRefusal } });
      await world.people([anna]);
      withPermissions(
        world,
        permissionNames.filter((name) => name !== 'managed-users/list'),
      );

      const { code, error } = await reconcileInProcess(world);

      expect([code, world.twilio.requests.writes]).toEqual([6, 0]);
      expect(error).toBeInstanceOf(TargetAuthError);
      expect(error?.message).toContain('managed-users/list');
    },
  );

  test('by the permission to create: what came before is kept, the rest waits, and goes on once it is granted', async () => {
    await using world = await worldInMotion();
    withPermissions(
      world,
      permissionNames.filter((name) => name !== 'managed-users/create'),
    );

    const run = await world.tdsync('reconcile', '--json');
    const text = await world.tdsync('status');
    withPermissions(world, permissionNames);
    const next = await reconcile(world);

    const report = run.json<RunDocument & ErrorDocument>();
    expect([run.code, report.status, report.error.code]).toEqual([6, 'failed', 'twilio-unauthorized']);
    expect(run.stderr).toContain('managed-users/create');
    expect(report.operations.map(({ operation, outcome }) => [operation.kind, outcome.state])).toEqual([
      ['revoke', 'done'],
      ['deactivate', 'done'],
      ['update', 'done'],
      ['create', 'failed'],
      ['grant', 'skipped'],
    ]);
    expect(text.stdout).toMatch(
      /Last run: .* failed .*3 of 5 operations, 1 failed, twilio-unauthorized: .*managed-users\/create/,
    );
    expect(next.plan.operations.map(({ kind }) => kind)).toEqual(['create', 'grant']);
    await expectConverged(world);
  });
});

describe.concurrent('Twilio answers what proves nothing', () => {
  const faults: readonly (readonly [string, Partial<Quirks>, FaultRule | undefined, RegExp])[] = [
    [
      'a list cut short that says how many there are',
      { listLimit: 2 },
      undefined,
      /list of users is incomplete: totalResults is 3 \(2 seen\)/,
    ],
    [
      'a list cut short that announces more',
      { listLimit: 2, totalResults: 'returned', listAnnounces: 'next' },
      undefined,
      /GET \/scim\/v2\/Users/,
    ],
    [
      'a list that ends in the middle',
      {},
      { match: { path: '/scim/v2/Users' }, fault: { status: 200, body: '{"Resources":[{"id":"US' } },
      /GET \/scim\/v2\/Users/,
    ],
    [
      'a list without people in it',
      {},
      { match: { path: '/scim/v2/Users' }, fault: { status: 200, body: {} } },
      /GET \/scim\/v2\/Users/,
    ],
    [
      'a page of HTML',
      {},
      { match: { path: '/scim/v2/Users' }, fault: { status: 200, body: '<html><title>Sign in</title></html>' } },
      /GET \/scim\/v2\/Users/,
    ],
    [
      'a refusal of the page',
      {},
      { match: { path: '/v2/Organizations/RoleAssignments' }, fault: { status: 400, code: 25203 } },
      /RoleAssignments: Twilio answered 400 \(code 25203/,
    ],
  ];
  test.for(faults)('%s', async ([, quirks, fault, message]) => {
    await using world = await worldInMotion();
    Object.assign(world.twilio.quirks, quirks);
    if (fault !== undefined) world.twilio.faults.add(fault);

    const error = await expectFailure(world, '--refresh');

    expect([error.code, error.message]).toEqual(['twilio-contract', expect.stringMatching(message)]);
  });

  test('pages of role assignments that never end', async () => {
    await using world = await worldInMotion();
    const meta = {
      key: 'content',
      next_page_url: `${world.twilio.url}/v2/Organizations/RoleAssignments?PageToken=again`,
    };
    const fault = { status: 200, body: { content: [], meta } };
    world.twilio.faults.add({ match: { path: '/v2/Organizations/RoleAssignments' }, fault });

    const error = await expectFailure(world, '--refresh');

    expect([error.code, error.message]).toEqual(['twilio-contract', expect.stringContaining('RoleAssignments')]);
  });

  test('another organization than the configured one', async () => {
    await using world = await worldInMotion();
    const { twilio, ...rest } = endpointsAt(world, world.twilio.url);
    await world.configure({
      ...rest,
      twilio: { ...twilio, organizationSid: `OR${'9'.repeat(32)}` },
      snapshot: { path: 'other.db' },
    });

    const error = await expectFailure(world);

    expect(error.message).toContain(`OR${'9'.repeat(32)}`);
  });
});

describe.concurrent('Twilio does not answer', () => {
  test('because nobody listens there: exit 6 after a few tries', async () => {
    await using world = await worldInMotion();
    await world.twilio.close();

    const run = await world.tdsync('reconcile', '--json');

    expect(run.code).toBe(6);
    expect(run.json<ErrorDocument>().error).toMatchObject({
      code: 'twilio-unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test.for([
    ['503 for ever', { status: 503 }],
    ['an edge proxy that answers for it', 'html'],
    ['connections that are reset', 'reset-before'],
    ['answers that break off', 'truncate'],
  ] as const)('but %s: exit 6, nothing written, and the next run goes on', async ([, fault]) => {
    await using world = await worldInMotion();
    world.twilio.faults.add({ match: { path: '/scim/v2/Users' }, fault });

    const error = await expectFailure(world);
    world.twilio.faults.clear();
    await settle(world);

    expect([error.code, error.message]).toEqual(['twilio-unavailable', expect.stringContaining('/scim/v2/Users')]);
    await expectConverged(world);
  });

  test('but 429 for ever: the run waits, and stops at once when it is asked to, with nothing written', async () => {
    await using world = await worldInMotion();
    world.twilio.faults.add({ fault: { status: 429, headers: { 'Retry-After': '3244' } } });

    const run = world.start(['reconcile', '--json']);
    await world.twilio.requests.waitFor({ path: '/v2/token' });
    run.kill('SIGTERM');
    const ended = await run.ended;

    expect([ended.code, ended.json<ErrorDocument>().error.code]).toEqual([4, 'interrupted']);
    expect(world.twilio.state.mails).toHaveLength(2);
  });

  test('over TLS that is not trusted: it says so, at once', async () => {
    await using world = await worldInMotion();
    const { certFile, keyFile } = makeServerCertificate(world.folder, makeCa(world.folder, 'ca'), 'server', [
      'IP:127.0.0.1',
    ]);
    let asked = 0;
    const answer: RequestListener = (_, response) => {
      asked++;
      response.end();
    };
    const server = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await world.configure(endpointsAt(world, `https://127.0.0.1:${(server.address() as AddressInfo).port}`));
    let handshakes = 0;
    server.on('tlsClientError', () => handshakes++);

    const run = await world.tdsync('reconcile', '--json');
    await new Promise((resolve) => server.close(resolve));

    expect(run.code).toBe(6);
    expect(run.json<ErrorDocument>().error).toMatchObject({
      message: expect.stringMatching(/TLS|certificate/i),
      hint: expect.any(String),
    });
    expect([asked, handshakes]).toEqual([0, 1]);
  });

  test('but something else does, which is named', async () => {
    await using world = await worldInMotion();
    const server = createServer((_, response) =>
      response.writeHead(302, { Location: 'https://login.corp.example/' }).end(),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await world.configure(endpointsAt(world, `http://127.0.0.1:${(server.address() as AddressInfo).port}`));

    const run = await world.tdsync('reconcile', '--json');
    await new Promise((resolve) => server.close(resolve));

    expect([run.code, run.stderr]).toEqual([6, expect.stringContaining('Check twilio.endpoints: 127.0.0.1:')]);
  });
});

describe.concurrent('one write fails', () => {
  test('for good: exit 4, the report says which and why, the others are applied', async () => {
    await using world = await worldInMotion();
    await world.people([
      { ...anna, family: 'Moved' },
      ben,
      { id: 'carl', mail: 'carl@unverified.example' },
      { id: 'dora' },
    ]);

    const run = await world.tdsync('reconcile');
    const status = await world.tdsync('status');
    const next = await reconcile(world);

    expect(run.code).toBe(4);
    expect(run.stdout).toContain('Not done (1)');
    expect(run.stdout).toMatch(/✗ create carl@unverified\.example failed: .*25017.* \[RQ[0-9a-f]{32}\]/);
    expect(world.twilio.state.users.byUserName('dora@corp.example')?.status).toBe('active');
    expect(status.stdout).toContain('partial');
    expect(next.status).toBe('converged');
    expect(next.findings).toMatchObject([
      { code: 'unverified-domain', message: expect.stringContaining('unverified.example') },
    ]);
  });
});
