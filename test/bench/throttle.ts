/**
 * Writing as much as a server lets through whose limit is not known, and changes: by the real client, over real sockets, to
 * the simulator. The limits are measured side by side, each with clocks that run faster, because at one request a second it
 * takes a quarter of an hour to see anything. Wanted: 85 % of the limit, and one 429 in a hundred answers at most.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { ExternalId, ScopeSid } from '../../src/domain/identity.ts';
import type { Clock } from '../../src/ports.ts';
import { defaultOrganizationSid } from '../../src/simulator/default-seed.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { createTwilioTarget, type TwilioTarget } from '../../src/twilio/twilio-target.ts';
import type { Row } from './measure.ts';
import { credentials } from './organization.ts';

interface Case {
  readonly limit: number;
  /** How many seconds pass in one of ours. */
  readonly haste: number;
}

const cases: readonly Case[] = [
  { limit: 1, haste: 12 },
  { limit: 5, haste: 6 },
  { limit: 20, haste: 3 },
  { limit: 100, haste: 2 },
];
/** The limit is halved in mid-run, then doubled. */
const course = [1, 0.5, 1];
const aboveLimit = 2.5;
const leastUsed = 0.85;
const mostRefused = 0.01;

/** `seconds`: of ours, for all limits together. */
export async function throttle(seconds: number): Promise<Row[]> {
  return await Promise.all(cases.map((each) => measureCase(each, seconds)));
}

async function measureCase({ limit, haste }: Case, seconds: number): Promise<Row> {
  const clock = hastyClock(haste);
  const options = { now: clock.now, monotonic: () => performance.now() * haste };
  await using simulator = await startSimulator({ ...options, limits: { requestsPerSecond: limit } });
  await using target = connect(simulator, clock, limit * aboveLimit);
  const end = new AbortController();

  const writing = write(target, end.signal);
  let room = 0;
  for (const factor of course) {
    await setLimit(simulator, limit * factor);
    room += limit * factor * haste * (seconds / course.length);
    await wait((seconds * 1000) / course.length);
  }
  const { 201: accepted = 0, 429: refused = 0 } = simulator.requests.statuses as Record<number, number>;
  end.abort();
  await writing;

  const used = accepted / room;
  const share = refused / (accepted + refused);
  const virtual = Math.round(seconds * haste);
  return {
    what: `writes where ${limit}/s are let through, halved, doubled (${virtual} s)`,
    measured: `${accepted} writes, ${refused} 429s (${(100 * share).toFixed(2)} %)`,
    floor: `limit ${room.toFixed(0)}`,
    ratio: used.toFixed(3),
    wanted: `≥ ${leastUsed}, ≤ ${100 * mostRefused} %`,
    holds: used >= leastUsed && share <= mostRefused,
  };
}

function hastyClock(haste: number): Clock {
  const start = Date.now();
  return {
    now: () => start + (Date.now() - start) * haste,
    sleep: (ms, signal) => wait(ms / haste, undefined, signal && { signal }),
  };
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
