/**
 * A local Twilio organization to rehearse against: token endpoint, SCIM users, role assignments, roles and accounts,
 * with Twilio's limits and errors. Stateful, deterministic, and every undocumented behaviour has a switch.
 */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AdministrativeAction, administer } from './administration.ts';
import type { Authorizations } from './authorizations.ts';
import { isControl, serveControl } from './control.ts';
import type { Faults } from './faults.ts';
import { Machine } from './machine.ts';
import type { Quirks } from './quirks.ts';
import type { Recorder } from './recorder.ts';
import type { Limits } from './reply.ts';
import type { Seed } from './seed.ts';
import { createApi } from './server.ts';
import { snapshotOf } from './snapshot.ts';
import type { SimulatorState } from './state.ts';
import type { Tokens } from './tokens.ts';

export interface SimulatorOptions {
  /** Default: an empty organization with an owner, two accounts, the role catalogue and one OAuth app. */
  readonly seed?: Seed;
  readonly quirks?: Partial<Quirks>;
  /** Default: no limit, no latency, tokens of 3600 seconds. */
  readonly limits?: Partial<Limits>;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** Requests kept for inspection; counts are kept for all. Default 10,000. */
  readonly recordLimit?: number;
  /** Wall clock, milliseconds since the epoch: token expiry and dates. */
  readonly now?: () => number;
  /** Monotonic clock, milliseconds: arrival times and the rate limit. */
  readonly monotonic?: () => number;
}

export interface Simulator extends AsyncDisposable {
  /** Origin for all three services, e.g. http://127.0.0.1:41234. */
  readonly url: string;
  readonly state: SimulatorState;
  readonly requests: Recorder;
  /** Assign to fields; the next request sees them. */
  readonly quirks: Quirks;
  /** Assign to fields; the next request sees them. */
  readonly limits: Limits;
  readonly faults: Faults;
  readonly tokens: Tokens;
  readonly authorizations: Authorizations;
  /** Does what people do in the Twilio Console. Throws Error when it cannot be done. */
  administer(action: AdministrativeAction): void;
  /** The present state as a seed. */
  snapshot(): Seed;
  /** Back to the first seed or to another; quirks, limits, faults, tokens and records too. Throws ConfigError. */
  reset(seed?: Seed): void;
  /** Ends all connections at once, also hanging ones. */
  close(): Promise<void>;
}

/**
 * Starts a simulator; resolves when it listens. Throws ConfigError when the seed contradicts itself, and what
 * node:net throws when the port cannot be had.
 */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const { seed = {}, quirks = {}, limits = {}, host = '127.0.0.1', port = 0, recordLimit = 10_000 } = options;
  const { now = Date.now, monotonic = () => performance.now() } = options;
  const allLimits = { requestsPerSecond: null, maxConcurrent: null, latency: 0, tokenLifetime: 3600, ...limits };
  const machine = new Machine({ seed, quirks, limits: allLimits }, recordLimit, now, monotonic);
  const timers = new Set<NodeJS.Timeout>();
  const api = createApi(machine, (ms) => delay(ms, timers));

  const server = createServer((request, response) => {
    const served = isControl(request.url ?? '/') ? serveControl(machine, request, response) : api(request, response);
    served.catch((error: unknown) => fail(request, response, error));
  });
  // Clients hold connections longer than the five seconds that Node would; a close under a request looks like a fault.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const close = async (): Promise<void> => {
    for (const timer of timers) clearTimeout(timer);
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };

  return {
    url: originOf(server.address() as AddressInfo),
    get state() {
      return machine.state;
    },
    requests: machine.requests,
    quirks: machine.quirks,
    limits: machine.limits,
    faults: machine.faults,
    tokens: machine.tokens,
    authorizations: machine.authorizations,
    administer(action) {
      const hindrance = administer(machine.state, action, now());
      if (hindrance !== undefined) throw new Error(`${action.action}: ${hindrance}`);
    },
    snapshot: () => snapshotOf(machine.state),
    reset: (other) => machine.reset(other),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function originOf({ address, family, port }: AddressInfo): string {
  const anywhere = address === '0.0.0.0' || address === '::';
  return `http://${anywhere ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

function delay(ms: number, timers: Set<NodeJS.Timeout>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      resolve();
    }, ms);
    timers.add(timer);
  });
}

/** A bug of the simulator must be visible to whoever tests against it, not look like Twilio. */
function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = 500;
  response.setHeader('Content-Type', 'text/plain');
  const reason = error instanceof Error ? error.stack : String(error);
  response.end(`The simulator itself failed at ${request.method} ${request.url}: ${reason}\n`);
}
