import { expect, test } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import {
  ConfigError,
  InterruptedError,
  SourceIncompleteError,
  StalePlanError,
  TargetAuthError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../../src/errors.ts';
import { propose } from '../../src/reconcile/propose.ts';
import { dryRunOnce, reconcileOnce } from '../../src/reconcile/reconcile.ts';
import { assignment, entry, link, mainAccount, noLimits, rules, twilioUser, userSid } from '../support/builders.ts';
import { createWorld, memoryStart, type World } from '../support/memory-world.ts';

const never = new AbortController().signal;

function reconcile(world: World, over: { reviewed?: Plan; signal?: AbortSignal; allow?: [never, number][] } = {}) {
  const { reviewed, signal = never, allow = [] } = over;
  const options = { allowances: new Map(allow), start: memoryStart, ...(reviewed !== undefined && { reviewed }) };
  return reconcileOnce(world.context, options, signal);
}

test('a first run applies, a second converges and writes nothing', async () => {
  const world = createWorld({ entries: [entry('ann', {}, ['developers'])] });

  const first = await reconcile(world);
  const written = world.twilio.writes.length;
  const second = await reconcile(world);

  expect([first.report.status, second.report.status]).toEqual(['applied', 'converged']);
  expect(world.twilio.writes).toHaveLength(written);
});

test('a dry run says what the next run does, operation by operation, and writes nothing', async () => {
  const world = createWorld({
    entries: [entry('ann', {}, ['developers']), entry('bob', { givenName: 'B' })],
    twilio: { users: [twilioUser(1, 'bob'), twilioUser(2, 'cat')] },
    snapshot: { links: [link('bob', 1), link('cat', 2)] },
  });

  const dry = await dryRunOnce(world.context, { allowances: new Map() }, never);
  expect(world.twilio.writes).toEqual([]);
  expect(world.snapshot.entries).toEqual([]);
  const { report } = await reconcile(world);

  expect(dry.status).toBe('planned');
  expect(report.operations.map(({ operation }) => operation)).toEqual(dry.plan.operations);
  expect(report.plan.digest).toBe(dry.plan.digest);
});

test('a refused plan is recorded and nothing is written; absences do not count', async () => {
  const world = createWorld({
    rules: rules({ guards: { ...noLimits, deactivations: { count: 0 } } }),
    entries: [entry('ann')],
    twilio: { users: [twilioUser(1, 'ann'), twilioUser(2, 'bob')] },
    snapshot: { links: [link('ann', 1), link('bob', 2)] },
  });

  const { report } = await reconcile(world);

  expect(report.status).toBe('refused');
  expect(world.twilio.writes).toEqual([]);
  expect(world.snapshot.ends[0]).not.toHaveProperty('absences');
  expect(world.snapshot.ends[0]).not.toHaveProperty('read');
});

test('an allowance lets the refused plan through', async () => {
  const world = createWorld({
    rules: rules({ guards: { ...noLimits, deactivations: { count: 0 } } }),
    entries: [entry('ann')],
    twilio: { users: [twilioUser(1, 'ann'), twilioUser(2, 'bob')] },
    snapshot: { links: [link('ann', 1), link('bob', 2)] },
  });

  const { report } = await reconcile(world, { allow: [['deactivations' as never, 1]] });

  expect(report.status).toBe('applied');
});

test('a failure of one person makes the run partial', async () => {
  const world = createWorld({ entries: [entry('ann'), entry('bob')] });
  world.twilio.before = (write) => {
    if (write.includes('ann')) throw new TargetRejectedError('no', { status: 400 });
  };

  const { report, error } = await reconcile(world);

  expect(report.status).toBe('partial');
  expect(error).toBeUndefined();
  expect(world.snapshot.ends[0]).not.toHaveProperty('read');
});

test('an error that ends the run makes it failed, and the report says how far it came', async () => {
  const world = createWorld({ entries: [entry('ann'), entry('bob')] });
  const denied = new TargetAuthError('no permission', { status: 403 });
  world.twilio.before = () => {
    throw denied;
  };

  const { report, error } = await reconcile(world);

  expect(report.status).toBe('failed');
  expect(error).toBe(denied);
  expect(report.operations.map(({ outcome }) => outcome.state)).toEqual(['failed', 'skipped']);
  expect(world.snapshot.ends[0]?.error).toEqual({ code: 'twilio-unauthorized', message: 'no permission' });
});

test('a run that is asked to stop while it applies is interrupted', async () => {
  const world = createWorld({ entries: [entry('ann'), entry('bob')] });
  const stop = new AbortController();
  world.twilio.before = () => stop.abort();

  const { report } = await reconcile(world, { signal: stop.signal });

  expect(report.status).toBe('interrupted');
  expect(report.operations.map(({ outcome }) => outcome.state)).toEqual(['done', 'skipped']);
});

test('a run that is asked to stop before it has a plan is interrupted and says so', async () => {
  const world = createWorld();
  const stop = new AbortController();
  Object.assign(world.context.source, {
    read: async (_demand: never, _onEntry: never, signal: AbortSignal) => {
      stop.abort();
      signal.throwIfAborted();
    },
  });

  await expect(reconcile(world, { signal: stop.signal })).rejects.toThrow(InterruptedError);
  expect(world.snapshot.ends[0]?.status).toBe('interrupted');
});

test('a source that cannot prove completeness makes no plan, stops the reading of Twilio, and is in the history', async () => {
  const world = createWorld({ twilio: { users: [twilioUser(1, 'ann')] }, snapshot: { links: [link('ann', 1)] } });
  let stopped = false;
  Object.assign(world.context.source, {
    read: async () => {
      throw new SourceIncompleteError('people.csv:17: quoting is not closed');
    },
  });
  Object.assign(world.twilio, {
    listUsers: (_onUser: never, signal: AbortSignal) =>
      new Promise((_resolve, reject) => {
        const stop = () => {
          stopped = true;
          reject(signal.reason);
        };
        if (signal.aborted) stop();
        else signal.addEventListener('abort', stop);
      }),
  });

  await expect(reconcile(world)).rejects.toThrow('people.csv:17');

  expect(stopped).toBe(true);
  expect(world.twilio.writes).toEqual([]);
  expect(world.snapshot.ends[0]).toMatchObject({ status: 'failed', error: { code: 'source-incomplete' } });
});

test('names of roles that do not resolve end the run before people are read', async () => {
  const world = createWorld({
    rules: rules({ roles: [{ group: 'x', grants: [{ role: 'Nobody', scope: mainAccount }] }] }),
  });

  await expect(reconcile(world)).rejects.toThrow(ConfigError);
  expect(world.twilio.calls.listUsers).toBeUndefined();
});

test('the reviewed plan is applied when nothing moved', async () => {
  const world = createWorld({ entries: [entry('ann')] });
  const { plan } = await propose(world.context, { allowances: new Map(), keepMirror: false }, never);

  const { report } = await reconcile(world, { reviewed: plan });

  expect(report.status).toBe('applied');
});

test('a reviewed plan is refused when the source moved, and the error says which side', async () => {
  const world = createWorld({ entries: [entry('ann')] });
  const { plan } = await propose(world.context, { allowances: new Map(), keepMirror: false }, never);
  world.entries = [entry('ann'), entry('bob')];

  await expect(reconcile(world, { reviewed: plan })).rejects.toThrow(StalePlanError);
  await expect(reconcile(world, { reviewed: plan })).rejects.toThrow(/is stale: source moved/);
  expect(world.twilio.writes).toEqual([]);
  expect(world.snapshot.ends[0]?.status).toBe('refused');
});

test('a reviewed plan whose operations were edited is not what is applied', async () => {
  const world = createWorld({ entries: [entry('ann')] });
  const { plan } = await propose(world.context, { allowances: new Map(), keepMirror: false }, never);

  const { report } = await reconcile(world, { reviewed: { ...plan, operations: [] } });

  expect(report.plan.operations).toHaveLength(1);
});

test('what a bug throws is reported as internal, and the history has it', async () => {
  const world = createWorld();
  Object.assign(world.context.source, {
    read: async () => {
      throw new TypeError('x is undefined');
    },
  });

  await expect(reconcile(world)).rejects.toMatchObject({ code: 'internal', hint: expect.stringContaining('bug') });
  expect(world.snapshot.ends[0]?.error?.code).toBe('internal');
});

test('a grant to a new person whose answer was lost is looked at again before it is given again', async () => {
  const world = createWorld({ entries: [entry('ann', {}, ['developers'])] });
  // A mirror that is believed, and does not know of the grant.
  Object.assign(world.context.store, {
    ages: () => ({ users: undefined, roles: undefined, assignments: new Map([[mainAccount, 0]]) }),
  });
  Object.assign(world.context, { refreshAssignmentsMs: 1_000_000 });
  world.twilio.answer = (write) => {
    if (write.startsWith('assign')) throw new TargetUnavailableError('no answer');
  };
  await reconcile(world);
  world.twilio.answer = () => {};

  const { report } = await reconcile(world);

  expect(report.status).toBe('converged');
  expect(world.twilio.assignments.size).toBe(1);
});

test('rows that an organization’s listing shows of its accounts are not counted as the organization’s', async () => {
  const world = createWorld({
    entries: [entry('ann', {}, ['developers'])],
    twilio: { users: [twilioUser(1, 'ann')], assignments: [assignment(1, 1)] },
    snapshot: { links: [link('ann', 1)] },
  });
  Object.assign(world.twilio, {
    listAssignments: async (_by: never, onAssignment: (row: unknown) => void) => {
      for (const row of world.twilio.assignments.values()) onAssignment(row);
      return world.twilio.assignments.size;
    },
  });

  const { plan } = await propose(world.context, { allowances: new Map(), keepMirror: true }, never);

  expect(plan.operations).toEqual([]);
  expect(plan.counts.unchanged).toBe(1);
  expect(world.twilio.users.has(userSid(1))).toBe(true);
});
