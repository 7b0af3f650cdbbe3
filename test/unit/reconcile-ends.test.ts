/** A run that would end for several reasons at once: too much refused, out of time, asked to stop. */
import { expect, test } from 'vitest';
import { BreakerOpenError, TargetRejectedError } from '../../src/errors.ts';
import { entry, noLimits, rules } from '../support/builders.ts';
import { createWorld, runIn, type World } from '../support/memory-world.ts';

const runTime = 60_000;

/** Forty joiners, all of whom Twilio refuses; `at` sees each write before it is refused. */
function open(at: (write: number, world: World) => void = () => {}): World {
  const people = Array.from({ length: 40 }, (_, index) => entry(`p${String(index).padStart(2, '0')}`));
  const world = createWorld({ rules: rules({ guards: noLimits }), entries: people });
  Object.assign(world.context, { maxRunTimeMs: runTime });
  let writes = 0;
  world.twilio.before = (write) => {
    at(++writes, world);
    throw new TargetRejectedError(`${write}: no`, { status: 400, twilioCode: 25006, method: 'POST' });
  };
  return world;
}

test('the refusal that is one too many counts, though time is over or the run was asked to stop meanwhile', async () => {
  const stop = new AbortController();
  const late = open((write, world) => {
    if (write === 10) world.now += runTime;
  });
  const stopped = open((write) => {
    if (write === 10) stop.abort();
  });

  const runs = [await runIn(late), await runIn(stopped, stop.signal)];

  for (const { report, error } of runs) {
    expect([report.status, error, report.unfinished]).toEqual(['partial', expect.any(BreakerOpenError), undefined]);
  }
  expect([late, stopped].map(({ context }) => context.store.breaker()?.attempts)).toEqual([1, 1]);
});

test('a run that ends before its probe leaves the breaker as it was, and the next one tries', async () => {
  const world = open();
  await runIn(world);
  const tripped = world.context.store.breaker();
  const asked = world.twilio.writes.length;
  const stop = new AbortController();
  Object.assign(world.context, { maxRunTimeMs: 0 });

  const late = await runIn(world);
  Object.assign(world.context, { maxRunTimeMs: runTime });
  world.context.source.read = (
    (read) =>
    async (...given) => {
      const found = await read(...given);
      stop.abort();
      return found;
    }
  )(world.context.source.read);
  const stopped = await runIn(world, stop.signal).catch((error: unknown) => error);
  const between = world.context.store.breaker();
  const next = await runIn(world);

  expect([late.report.status, late.report.unfinished?.because]).toEqual(['partial', 'run-time']);
  expect(stopped).toMatchObject({ report: { status: 'interrupted' } });
  expect(between).toEqual(tripped);
  expect([next.report.status, world.twilio.writes.length - asked]).toEqual(['partial', 1]);
  expect(world.context.store.breaker()?.attempts).toBe(2);
});
