/**
 * Writing as much as a server lets through whose limit is not known, and changes: by the real client, over real sockets, to
 * the simulator. Wanted: 85 % of the limit, and one 429 in a hundred answers at most. At one request a second it takes
 * most of an hour to see that, so the clock of client and simulator stands still while a request is under way, and jumps
 * when the client waits. Real time is measured beside it on demand: it takes minutes.
 */
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { ExternalId, ScopeSid } from '../../src/domain/identity.ts';
import type { Clock } from '../../src/ports.ts';
import { defaultOrganizationSid } from '../../src/simulator/default-seed.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createTwilioTarget, type TwilioTarget } from '../../src/twilio/twilio-target.ts';
import type { Row } from './measure.ts';
import { credentials } from './organization.ts';

interface Case {
  readonly limit: number;
  /** For the whole run. */
  readonly seconds: number;
  readonly realTime: boolean;
}

/** The limit is halved in mid-run, then doubled. */
const course = [1, 0.5, 1];
const aboveLimit = 2.5;
const leastUsed = 0.85;
const mostRefused = 0.01;

/** `seconds`: of real time, for what is measured in it, together; left out, nothing is. */
export async function throttle(seconds?: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const limit of [1, 5, 20, 100]) {
    process.stderr.write(`  ${limit} per second …\n`);
    rows.push(await measureCase({ limit, seconds: 3 * Math.max(1500 / limit, 60), realTime: false }));
  }
  if (seconds === undefined) return rows;
  const real = [20, 100].map((limit) => measureCase({ limit, seconds, realTime: true }));
  return [...rows, ...(await Promise.all(real))];
}

async function measureCase({ limit, seconds, realTime }: Case): Promise<Row> {
  const clock = realTime ? realClock : createJumpingClock();
  const requests = { requestsPerSecond: limit };
  await using simulator = await startSimulator({ now: clock.now, monotonic: clock.now, limits: requests });
  await using target = connect(simulator, clock, limit * aboveLimit);
  clock.underWay = () => Object.values(target.calls).reduce((sum, count) => sum + count, 0) - simulator.requests.total;

  const began = clock.now();
  const end = new AbortController();
  const hands = write(target, end.signal);
  for (const [index, factor] of course.entries()) {
    await setLimit(simulator, limit * factor);
    const until = began + ((index + 1) * seconds * 1000) / course.length;
    while (clock.now() < until) await (realTime ? wait(10) : turn());
  }
  const { 201: accepted = 0, 429: refused = 0 } = simulator.requests.statuses as Record<number, number>;
  const lasted = (clock.now() - began) / 1000;
  end.abort();
  await hands;

  const room = (lasted * course.reduce((sum, factor) => sum + letThrough(limit * factor), 0)) / course.length;
  const used = accepted / room;
  const share = refused / (accepted + refused);
  return {
    what: `writing at ${limit}/s, halved, doubled: ${Math.round(lasted)} s${realTime ? '' : ' that jump'}`,
    measured: `${accepted} writes, ${refused} 429s (${(100 * share).toFixed(2)} %)`,
    floor: `limit ${room.toFixed(0)}`,
    ratio: used.toFixed(3),
    wanted: `≥ ${leastUsed}, ≤ ${100 * mostRefused} %`,
    holds: used >= leastUsed && share <= mostRefused,
  };
}

/** The simulator's window holds whole requests. */
function letThrough(limit: number): number {
  return limit > 1 ? Math.floor(limit) : limit;
}

interface BenchClock extends Clock {
  /** Requests that were sent and have no answer. */
  underWay: () => number;
}

const realClock: BenchClock = {
  underWay: () => 0,
  now: Date.now,
  sleep: (ms, signal) => wait(ms, undefined, signal && { signal }),
};

function createJumpingClock(): BenchClock {
  let now = Date.now();
  const clock: BenchClock = {
    underWay: () => 0,
    now: () => now,
    async sleep(ms, signal) {
      const until = now + ms;
      while (clock.underWay() > 0) await turn();
      signal?.throwIfAborted();
      now = Math.max(now, until);
    },
  };
  return clock;
}

function connect({ url }: Simulator, clock: Clock, requestsPerSecond: number): TwilioTarget {
  const silent = () => {};
  return createTwilioTarget({
    organization: defaultOrganizationSid as ScopeSid,
    clientId: credentials.CLIENT_ID,
    clientSecret: { reference: 'the simulator', read: () => credentials.CLIENT_SECRET },
    endpoints: { iam: url, oauth: url, accounts: url },
    limits: { requestsPerSecond, maxConcurrent: 10, timeoutMs: 30_000 },
    clock,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    random: Math.random,
  });
}

/** The limit as a person would change it: by the simulator's control interface. */
async function setLimit({ url }: Simulator, requestsPerSecond: number): Promise<void> {
  const answer = await fetch(`${url}/_simulator/limits`, {
    method: 'POST',
    body: JSON.stringify({ requestsPerSecond }),
  });
  if (!answer.ok) throw new Error(`the simulator refuses the limit: ${await answer.text()}`);
}

/** Writes until asked to end, as many at once as are let. */
async function write(target: TwilioTarget, signal: AbortSignal): Promise<void> {
  let number = 0;
  const hand = async () => {
    while (!signal.aborted) {
      const id = `p${number++}`;
      await target.createUser(id as ExternalId, { userName: `${id}@corp.example` });
    }
  };
  await Promise.all(Array.from({ length: 10 }, hand));
}
