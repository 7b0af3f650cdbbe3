/** A systemic failure ends the run, holds the next one to a single try, and harms nobody for long. */
import { expect, test } from 'vitest';
import type { Entry } from '../../src/domain/entry.ts';
import { BreakerOpenError, TargetRejectedError, TargetUnavailableError } from '../../src/errors.ts';
import { dryRunOnce, type Reconciled } from '../../src/reconcile/reconcile.ts';
import { renderNotice } from '../../src/report/notice.ts';
import { entry, link, noLimits, rules, twilioUser } from '../support/builders.ts';
import { createWorld, runIn, type World, type WorldState } from '../support/memory-world.ts';

const never = new AbortController().signal;
const hour = 3_600_000;
const quarter = hour / 4;

function open(state: WorldState): World {
  return createWorld({ rules: rules({ guards: noLimits }), ...state });
}

function people(count: number): Entry[] {
  return Array.from({ length: count }, (_, index) => entry(`p${String(index).padStart(2, '0')}`));
}

function create(index: number): string {
  return `create p${String(index).padStart(2, '0')}@corp.example`;
}

function refuse(world: World, isRefused: (write: string) => boolean, twilioCode = 25006): void {
  world.twilio.before = (write) => {
    if (isRefused(write)) throw new TargetRejectedError(`${write}: no`, { status: 400, twilioCode, method: 'POST' });
  };
}

function statesOf({ report }: Reconciled): string[] {
  return report.operations.map(({ outcome }) => outcome.state);
}

test('ten people refused in a row end the run, which is partial and says for what, without naming anybody', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create'));

  const { report, error, asked } = await runIn(world);

  expect(asked).toHaveLength(10);
  expect(report.status).toBe('partial');
  expect(error).toBeInstanceOf(BreakerOpenError);
  expect(error?.message).toBe(
    'apply: stopped, because 10 people in a row were refused: create refused with 400 with code 25006: 10 people',
  );
  expect(report.breaker).toMatchObject({
    attempts: 1,
    kinds: ['create'],
    causes: [
      {
        twilioCode: 25006,
        people: 10,
        examples: ['p00@corp.example', 'p01@corp.example', 'p02@corp.example'],
      },
    ],
  });
  expect(world.snapshot.ends.at(-1)).toMatchObject({ status: 'partial', error: { code: 'breaker-open' } });
});

test('Twilio saying that too much has failed ends it at once', async () => {
  const world = open({ entries: people(5) });
  refuse(world, (write) => write === create(1), 70005);

  const { report, asked } = await runIn(world);

  expect([report.status, report.breaker?.causes[0]?.twilioCode, asked.length]).toEqual(['partial', 70005, 2]);
});

test('somebody who succeeds in between, and several refusals of one person, do not end it', async () => {
  const entries = [entry('p00', {}, ['developers', 'admins']), ...people(30).slice(1)];
  const world = open({
    entries,
    twilio: { users: [twilioUser(1, 'p00')] },
    snapshot: { links: [link('p00', 1)] },
  });
  Object.assign(world.context, { breaker: { inARow: 2, percent: 50, sample: 20, unanswered: 3 } });
  refuse(world, (write) => write.startsWith('assign') || write === create(5));

  const { error, report } = await runIn(world);

  expect(error).toBeUndefined();
  expect(statesOf({ report, error }).filter((state) => state === 'failed')).toHaveLength(3);
});

test('half of those tried end it, once there are twenty', async () => {
  const world = open({ entries: people(60) });
  refuse(world, (write) => Number(write.slice(8, 10)) % 2 === 1);

  const { error, asked } = await runIn(world);

  expect(asked).toHaveLength(20);
  expect(error?.message).toContain('10 of the 20 people tried were refused');
});

test('the next run tries one, stops when that is refused too, and so on', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create'));
  await runIn(world);

  const asked: (readonly string[])[] = [];
  for (let run = 0; run < 3; run++) {
    world.now += quarter;
    asked.push((await runIn(world)).asked);
  }

  // Never the same person within the hour for which a refused record waits.
  expect(asked).toEqual([[create(10)], [create(11)], [create(12)]]);
  expect(world.context.store.breaker()).toMatchObject({ attempts: 4, since: 0, at: 3 * quarter });
});

test('when the one goes through, so do the others, and those who were refused for nothing in the run after', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create'));
  await runIn(world);
  world.now += quarter;
  world.twilio.before = () => {};

  const second = await runIn(world);
  const third = await runIn(world);
  const last = await runIn(world);

  expect([second.report.status, second.asked.length]).toEqual(['applied', 30]);
  expect([third.report.status, third.asked.length]).toEqual(['applied', 10]);
  expect([last.report.status, world.snapshot.parked.size]).toEqual(['converged', 0]);
  expect(world.context.store.breaker()).toBeUndefined();
});

test('records that are themselves wrong do not keep it open, nor open it again', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create p0'));
  await runIn(world);
  // A schedule so slow that each of them is due at every run.
  const seen: (readonly [string, number])[] = [];

  for (let run = 0; run < 3; run++) {
    world.now += 48 * hour;
    const { report, asked } = await runIn(world);
    seen.push([report.status, asked.length]);
  }

  // First one of the others, then the others; the ten wait for it and are tried again, without ending a run.
  expect(seen).toEqual([
    ['partial', 30],
    ['partial', 10],
    ['partial', 10],
  ]);
  expect(world.snapshot.links.size).toBe(30);
  expect(world.context.store.breaker()).toBeUndefined();
});

test('when everybody was refused before, whoever was refused least is tried first', async () => {
  const world = open({ entries: people(10) });
  refuse(world, () => true);
  await runIn(world);
  refuse(world, (write) => write === create(0));

  world.now += 24 * hour;
  const second = await runIn(world);
  world.now += 24 * hour;
  const third = await runIn(world);

  expect(second.asked).toEqual([create(0)]);
  expect(third.asked[0]).toBe(create(1));
  expect(third.asked).toHaveLength(9);
});

test('what did not fail goes on while it is open', async () => {
  const world = open({
    entries: people(40),
    twilio: { users: [twilioUser(1, 'leaver')] },
    snapshot: { links: [link('leaver', 1)] },
  });
  refuse(world, (write) => write.startsWith('create'));
  await runIn(world);
  world.entries = [...world.entries, entry('leaver')];
  await runIn(world);
  world.entries = people(40);

  const { asked } = await runIn(world);

  expect(asked).toEqual([expect.stringMatching(/^deactivate/), create(11)]);
});

test('a plan says that it is open, and what is done first', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create'));
  await runIn(world);

  const dry = await dryRunOnce(world.context, { allowances: new Map() }, never);

  expect(dry.findings.filter(({ code }) => code === 'breaker-open')).toEqual([
    expect.objectContaining({ externalId: '', message: expect.stringContaining('of create, one is tried before') }),
  ]);
});

test('addresses that are taken do not count: at a first import there may be many', async () => {
  const entries = people(40);
  const outside = entries.slice(0, 30).map(({ id }) => `${id}@corp.example`);
  const world = open({ entries, twilio: { users: [], outside } });

  const { error, asked } = await runIn(world);

  expect([error, asked.length, world.snapshot.links.size]).toEqual([undefined, 40, 10]);
});

test('a hook is told of the causes, and nobody is named', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create'));
  const { report, error } = await runIn(world);
  const subject = {
    organization: 'OR1',
    host: 'h',
    command: 'daemon',
    run: 'r',
    status: 'partial',
    endedAt: 0,
  } as const;

  for (const format of ['json', 'slack'] as const) {
    const { body } = renderNotice('partial', { ...subject, report, error }, undefined, format);
    expect(body).toMatch(/10 people in a row were refused: create refused with 400 with code 25006: 10 people/);
    expect(body).not.toContain('@');
  }
});

test('a domain that is not verified does not count', async () => {
  const world = open({ entries: people(40) });
  refuse(world, (write) => write.startsWith('create'), 25017);

  const { error, asked } = await runIn(world);

  expect([error, asked.length]).toEqual([undefined, 1]);
});

test('so many calls in a row without an answer as are allowed fail the run', async () => {
  const world = open({ entries: people(9) });
  Object.assign(world.context, { breaker: { ...world.context.breaker, unanswered: 5 } });
  world.twilio.before = () => {
    throw new TargetUnavailableError('no answer');
  };

  const { report, asked } = await runIn(world);

  expect([report.status, asked.length]).toEqual(['failed', 5]);
  expect(world.context.store.breaker()).toBeUndefined();
});
