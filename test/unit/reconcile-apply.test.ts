import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import {
  RateLimitedError,
  TargetAuthError,
  TargetContractError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../../src/errors.ts';
import { type Applied, applyPlan } from '../../src/reconcile/apply.ts';
import { propose } from '../../src/reconcile/propose.ts';
import { assignment, entry, link, twilioUser } from '../support/builders.ts';
import { createWorld, type World, type WorldState } from '../support/memory-world.ts';

const never = new AbortController().signal;
const hour = 3_600_000;

function plan(world: World) {
  return propose(world.context, { allowances: new Map(), keepMirror: true }, never);
}

async function run(world: World, signal: AbortSignal = never): Promise<Applied> {
  const { plan: made, waiting, parked } = await plan(world);
  return applyPlan('run', made, { parked, waiting }, world.context, signal);
}

function statesOf({ operations }: Applied): string[] {
  return operations.map(({ operation, outcome }) => `${outcome.state} ${operation.kind} ${operation.externalId}`);
}

function joiners(count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(`p${index}`));
}

/** A mover, a leaver and a joiner, each with a role to lose or to get. */
const busy: WorldState = {
  entries: [entry('mover', { givenName: 'M' }, ['admins']), entry('joiner', {}, ['developers'])],
  twilio: {
    users: [twilioUser(1, 'mover'), twilioUser(2, 'leaver')],
    assignments: [assignment(1, 1), assignment(2, 2)],
  },
  snapshot: { links: [link('mover', 1), link('leaver', 2)] },
};

const busyWrites = [
  expect.stringMatching(/^revoke US0+2$/),
  expect.stringMatching(/^revoke US0+1$/),
  expect.stringMatching(/^deactivate US0+2$/),
  expect.stringMatching(/^update US0+1$/),
  'create joiner@corp.example',
  expect.stringMatching(/^assign US0+1000$/),
  expect.stringMatching(/^assign US0+1$/),
];

/** Lets a test hold writes back and release them one by one. */
function hold(world: World) {
  const waiting: { write: string; release: () => void }[] = [];
  let arrived = () => {};
  world.twilio.before = (write) =>
    new Promise<void>((release) => {
      waiting.push({ write, release });
      arrived();
    });
  return {
    /** Resolves when so many writes wait. */
    async until(count: number): Promise<string[]> {
      while (waiting.length < count) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
      return waiting.map(({ write }) => write);
    },
    release(): void {
      waiting.shift()?.release();
    },
    get waiting(): number {
      return waiting.length;
    },
  };
}

/** Lets everything that can go on go on. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

test.each([1, 2, 8])('with %i at once, operations start in the order of the plan', async (maxConcurrent) => {
  const world = createWorld({ ...busy, maxConcurrent });

  const applied = await run(world);

  expect(world.twilio.writes).toEqual(busyWrites);
  expect(applied.fatal).toBeUndefined();
  expect(new Set(applied.operations.map(({ outcome }) => outcome.state))).toEqual(new Set(['done']));
});

test('intent is written before each call and the outcome after it', async () => {
  const world = createWorld({ entries: [entry('ann')] });
  const seen: string[][] = [];
  world.twilio.before = () => void seen.push([...world.snapshot.entries]);

  await run(world);

  expect(seen).toEqual([['intend create ann']]);
  expect(world.snapshot.entries).toEqual(['intend create ann', 'done create ann']);
});

test('no more writes are under way than allowed', async () => {
  const world = createWorld({ entries: joiners(5), maxConcurrent: 2 });
  const gate = hold(world);

  const running = run(world);
  await gate.until(2);
  await settled();

  expect(gate.waiting).toBe(2);
  gate.release();
  await gate.until(2);
  while (world.twilio.writes.length < 5 || gate.waiting > 0) {
    gate.release();
    await settled();
  }
  expect(statesOf(await running)).toHaveLength(5);
});

test('a phase ends before the next begins', async () => {
  const world = createWorld({
    entries: [entry('joiner')],
    twilio: { users: [twilioUser(1, 'leaver')] },
    snapshot: { links: [link('leaver', 1)] },
    maxConcurrent: 4,
  });
  const gate = hold(world);

  const running = run(world);
  await gate.until(1);
  await settled();

  expect(world.twilio.writes).toEqual([expect.stringMatching(/^deactivate/)]);
  gate.release();
  expect((await gate.until(1))[0]).toBe('create joiner@corp.example');
  gate.release();
  await running;
});

test('operations of one person follow one another within a phase', async () => {
  const world = createWorld({
    twilio: {
      users: [twilioUser(1, 'ann'), twilioUser(2, 'bob')],
      assignments: [assignment(1, 1), assignment(2, 1), assignment(3, 2)],
    },
    snapshot: { links: [link('ann', 1), link('bob', 2)] },
    maxConcurrent: 3,
  });
  const gate = hold(world);

  const running = run(world);
  await gate.until(2);
  await settled();

  expect(world.twilio.writes).toEqual([expect.stringMatching(/US0+1$/), expect.stringMatching(/US0+2$/)]);
  world.twilio.before = () => {};
  gate.release();
  gate.release();
  expect((await running).fatal).toBeUndefined();
});

test('what waits for a failed step is skipped, and others go on', async () => {
  const world = createWorld({ entries: [entry('ann', {}, ['developers']), entry('bob', {}, ['developers'])] });
  world.twilio.before = (write) => {
    if (write === 'create ann@corp.example') throw new TargetRejectedError('no', { status: 400, twilioCode: 25019 });
  };

  const applied = await run(world);

  expect(statesOf(applied)).toEqual(['failed create ann', 'done create bob', 'skipped grant ann', 'done grant bob']);
  expect(world.snapshot.outcomes.get(applied.operations[2]?.operation.id ?? '')).toEqual({
    state: 'skipped',
    message: 'waits for "create ann", which did not succeed',
  });
  expect(applied.fatal).toBeUndefined();
});

test('a person whose revocation fails is deactivated nevertheless', async () => {
  const world = createWorld({ ...busy, entries: [entry('mover')] });
  world.twilio.before = (write) => {
    if (write.startsWith('revoke')) throw new TargetRejectedError('no', { status: 400 });
  };

  const applied = await run(world);

  expect(statesOf(applied)).toContain('done deactivate leaver');
});

test.each([
  ['authorization', new TargetAuthError('no permission', { status: 403 })],
  ['an answer against the contract', new TargetContractError('what is this')],
  ['a rate limit past its budget', new RateLimitedError('too many', { status: 429 })],
])('%s ends the run: nothing more is begun', async (_what, error) => {
  const world = createWorld({ entries: joiners(4) });
  world.twilio.before = (write) => {
    if (write === 'create p1@corp.example') throw error;
  };

  const applied = await run(world);

  expect(applied.fatal).toBe(error);
  expect(statesOf(applied)).toEqual(['done create p0', 'failed create p1', 'skipped create p2', 'skipped create p3']);
  expect(world.twilio.writes).toHaveLength(2);
  expect(world.snapshot.parked.size).toBe(0);
});

test('when the time for a run is over nothing more is begun, and what is under way is finished', async () => {
  const world = createWorld({ entries: joiners(4) });
  world.twilio.before = (write) => {
    if (write === 'create p1@corp.example') world.now = 60_000;
  };
  const { plan: made, waiting, parked } = await plan(world);

  const applied = await applyPlan('run', made, { parked, waiting }, world.context, never, 60_000);

  expect(statesOf(applied)).toEqual(['done create p0', 'done create p1', 'skipped create p2', 'skipped create p3']);
  expect(applied).toMatchObject({ fatal: undefined, left: 2, outOfTime: true });
  expect((await plan(world)).plan.operations).toHaveLength(2);
});

test('an answer that is lost leaves the intent open, so that the next run looks first', async () => {
  const world = createWorld({ entries: joiners(2) });
  world.twilio.answer = (write) => {
    if (write === 'create p0@corp.example') throw new TargetUnavailableError('no answer');
  };

  const applied = await run(world);

  expect(statesOf(applied)).toEqual(['failed create p0', 'done create p1']);
  expect([...world.snapshot.unfinished.keys()]).toEqual(['create p0']);
  world.twilio.answer = () => {};
  await run(world);
  expect(world.twilio.writes.filter((write) => write.startsWith('create'))).toHaveLength(2);
  expect((await plan(world)).plan.operations).toEqual([]);
});

test('three lost answers in a row end the run; an answer in between starts the count anew', async () => {
  const world = createWorld({ entries: joiners(8) });
  const silent = new Set(['p0', 'p1', 'p3', 'p4', 'p5'].map((id) => `create ${id}@corp.example`));
  world.twilio.before = (write) => {
    if (silent.has(write)) throw new TargetUnavailableError('no answer');
  };

  const applied = await run(world);

  expect(applied.fatal).toBeInstanceOf(TargetUnavailableError);
  expect(applied.operations.map(({ outcome }) => outcome.state)).toEqual([
    'failed',
    'failed',
    'done',
    'failed',
    'failed',
    'failed',
    'skipped',
    'skipped',
  ]);
});

test('a shutdown finishes what is in flight and leaves the rest', async () => {
  const world = createWorld({ entries: joiners(4), maxConcurrent: 2 });
  const gate = hold(world);
  const stop = new AbortController();

  const running = run(world, stop.signal);
  await gate.until(2);
  stop.abort();
  gate.release();
  gate.release();
  const applied = await running;

  expect(statesOf(applied)).toEqual(['done create p0', 'done create p1', 'skipped create p2', 'skipped create p3']);
  expect(applied.fatal).toBeUndefined();
  expect(world.snapshot.entries).toHaveLength(4);
});

test('a shutdown in the middle of a returning person finishes the grant that was begun', async () => {
  const world = createWorld({
    entries: [entry('ann', {}, ['developers'])],
    twilio: { users: [twilioUser(1, 'ann', { active: false })] },
    snapshot: { links: [link('ann', 1)] },
  });
  const stop = new AbortController();
  const { listAssignments } = world.twilio;
  Object.assign(world.twilio, {
    listAssignments: (by: never, onAssignment: never, signal: AbortSignal) => {
      if ('user' in by) stop.abort();
      signal.throwIfAborted();
      return listAssignments(by, onAssignment, signal);
    },
  });

  const applied = await run(world, stop.signal);

  expect(statesOf(applied)).toEqual(['done reactivate ann', 'done grant ann']);
});

test('a shutdown is heard while operations are applied that ask nothing of Twilio', async () => {
  const people = Array.from({ length: 50 }, (_, index) => `p${String(index).padStart(2, '0')}`);
  const world = createWorld({
    entries: people.map((id) => entry(id)),
    twilio: { users: people.map((id, index) => twilioUser(index + 1, id)) },
  });
  const stop = new AbortController();
  // Time passes with each look at the clock; a signal arrives like one of the system, between turns of the event loop.
  Object.assign(world.context.clock, { now: () => (world.now += 10), sleep: () => nextTurn() });
  void nextTurn().then(() => stop.abort());

  const applied = await run(world, stop.signal);

  const states = statesOf(applied).map((state) => state.split(' ', 1)[0]);
  expect(states.filter((state) => state === 'done').length).toBeLessThan(50);
  expect(states.at(-1)).toBe('skipped');
});

test('a failure of the snapshot ends the run with that error', async () => {
  const world = createWorld({ entries: joiners(3) });
  const full = new Error('disk full');
  Object.assign(world.context.journal, {
    intend: () => {
      throw full;
    },
  });

  await expect(run(world)).rejects.toBe(full);
  expect(world.twilio.writes).toEqual([]);
});

test('a refused record is parked for an hour, then two, up to a day', async () => {
  const world = createWorld({ entries: joiners(1) });
  world.twilio.before = () => {
    throw new TargetRejectedError('no', { status: 400, twilioCode: 25019 });
  };

  const delays: (number | undefined)[] = [];
  for (let round = 0; round < 7; round++) {
    await run(world);
    const [park] = world.snapshot.parked.values();
    delays.push(((park?.retryAt ?? 0) - world.now) / hour);
    world.now = park?.retryAt ?? 0;
  }

  expect(delays).toEqual([1, 2, 4, 8, 16, 24, 24]);
  expect(world.twilio.writes).toHaveLength(7);
});

test('an address that is taken outside the organization waits for a change, without a date', async () => {
  const world = createWorld({ entries: joiners(1), twilio: { users: [], outside: ['p0@corp.example'] } });

  await run(world);
  world.now = 1_000 * hour;
  await run(world);

  expect(world.twilio.writes).toHaveLength(1);
  expect([...world.snapshot.parked.values()]).toEqual([
    expect.objectContaining({ code: 'address-taken', retryAt: undefined, attempts: 1 }),
  ]);
});

test('somebody who is suspended in Twilio is tried again after a while, because that ends without a change', async () => {
  const world = createWorld({ twilio: { users: [twilioUser(1, 'ann')] }, snapshot: { links: [link('ann', 1)] } });
  world.twilio.before = () => {
    throw new TargetRejectedError('suspended', { status: 400, twilioCode: 25009 });
  };
  await run(world);
  expect((await plan(world)).plan.findings).toEqual([expect.objectContaining({ code: 'suspended' })]);

  world.twilio.before = () => {};
  world.now = hour;
  const applied = await run(world);

  expect(statesOf(applied)).toEqual(['done deactivate ann']);
});

test('two refused roles of one person are both parked, and their delays grow', async () => {
  const world = createWorld({
    entries: [entry('ann', {}, ['developers', 'admins'])],
    twilio: { users: [twilioUser(1, 'ann')] },
    snapshot: { links: [link('ann', 1)] },
  });
  world.twilio.before = () => {
    throw new TargetRejectedError('no such role', { status: 400, twilioCode: 25202 });
  };

  await run(world);
  await run(world);
  expect(world.twilio.writes).toHaveLength(2);

  world.now = hour;
  await run(world);
  expect(world.twilio.writes).toHaveLength(4);
  expect([...world.snapshot.parked.values()]).toEqual([expect.objectContaining({ attempts: 2, retryAt: 3 * hour })]);
});

test('another success of the person does not free what was refused', async () => {
  const world = createWorld({
    entries: [entry('ann', {}, ['developers'])],
    twilio: { users: [twilioUser(1, 'ann')] },
    snapshot: { links: [link('ann', 1)] },
  });
  world.twilio.before = (write) => {
    if (write.startsWith('assign')) throw new TargetRejectedError('no', { status: 400 });
  };
  await run(world);

  world.entries = [entry('ann', { givenName: 'Ann' }, ['developers'])];
  await run(world);
  await run(world);

  expect(world.twilio.writes.filter((write) => write.startsWith('assign'))).toHaveLength(1);
  expect(world.snapshot.parked.size).toBe(1);
});

test('success of what was refused frees the person', async () => {
  const world = createWorld({ entries: joiners(1) });
  world.twilio.before = () => {
    throw new TargetRejectedError('no', { status: 400 });
  };
  await run(world);

  world.twilio.before = () => {};
  world.now = hour;
  await run(world);

  expect(world.snapshot.parked.size).toBe(0);
});

test('a corrected record frees the person once it succeeds', async () => {
  const world = createWorld({ entries: joiners(1), twilio: { users: [], outside: ['p0@corp.example'] } });
  await run(world);
  expect(world.snapshot.parked.size).toBe(1);

  world.entries = [entry('p0', { mail: 'free@corp.example' })];
  await run(world);

  expect(world.snapshot.parked.size).toBe(0);
  expect(world.snapshot.links.size).toBe(1);
});

test('a user who went away meanwhile fails without being parked', async () => {
  const world = createWorld({
    entries: [entry('ann', { givenName: 'A' })],
    twilio: { users: [twilioUser(1, 'ann')] },
    snapshot: { links: [link('ann', 1)] },
  });
  world.twilio.before = () => {
    throw new TargetRejectedError('not found', { status: 404, twilioCode: 25008 });
  };

  const applied = await run(world);

  expect(statesOf(applied)).toEqual(['failed update ann']);
  expect(world.snapshot.parked.size).toBe(0);
});

test('a failed outcome carries code, message with the hint, and the request id', async () => {
  const world = createWorld({ entries: joiners(1) });
  world.twilio.before = () => {
    throw new TargetRejectedError('create p0: the domain is not verified', {
      hint: 'verify corp.example in the Console',
      status: 400,
      twilioCode: 25017,
      requestId: 'RQ1',
    });
  };

  const applied = await run(world);

  expect(applied.operations[0]?.outcome).toEqual({
    state: 'failed',
    code: 'twilio-rejected',
    message: 'create p0: the domain is not verified. verify corp.example in the Console',
    requestId: 'RQ1',
  });
});
