/**
 * Control over HTTP under `/_simulator/`, for other processes: what was asked, what is held, and every switch.
 * Loopback clients only: whoever controls the simulator can read the secrets of its seed. Not recorded, not limited.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { ConfigError } from '../errors.ts';
import { administer, administrativeActionSchema } from './administration.ts';
import { readBody } from './body.ts';
import { faultRulesSchema } from './faults.ts';
import type { Machine } from './machine.ts';
import { parseQuirks, quirkDefinitions } from './quirks.ts';
import { json, type Reply } from './reply.ts';
import { send } from './respond.ts';
import { parseSeed, seedClientSchema } from './seed.ts';
import { snapshotOf } from './snapshot.ts';

type Control = (machine: Machine, query: URLSearchParams, body: unknown) => Reply | Promise<Reply>;

/** Seeds of a hundred thousand people and more must fit. */
const largestBody = 1 << 29;

const limitsSchema = z.strictObject({
  requestsPerSecond: z.number().min(0.01).nullable().optional(),
  maxConcurrent: z.int().min(1).nullable().optional(),
  latency: z.number().min(0).optional(),
  tokenLifetime: z.int().min(1).optional(),
});

const controls: Readonly<Record<string, Control>> = {
  'GET /_simulator': () => json(200, { controls: Object.keys(controls) }),
  'GET /_simulator/requests': (machine, query) => json(200, { requests: selectRequests(machine, query) }),
  'DELETE /_simulator/requests': (machine) => {
    machine.requests.clear();
    return done;
  },
  /** Answers when the matching requests since the last clear have reached `count`. */
  'GET /_simulator/requests/wait': async (machine, query) => {
    const count = Number(query.get('count') ?? '1');
    if (!(count >= 1)) return problem(['count must be a number from 1']);
    return json(200, await machine.requests.waitFor(matchOf(query), count));
  },
  'GET /_simulator/counts': (machine) => json(200, countsOf(machine)),
  'GET /_simulator/state': (machine) => json(200, snapshotOf(machine.state)),
  'GET /_simulator/mails': (machine) => json(200, { mails: machine.state.mails }),
  'GET /_simulator/quirks': (machine) => json(200, { quirks: machine.quirks, about: quirkDefinitions }),
  'POST /_simulator/quirks': (machine, _, body) => {
    const parsed = parseQuirks(body);
    if ('problems' in parsed) return problem(parsed.problems);
    Object.assign(machine.quirks, parsed.changes);
    return json(200, machine.quirks);
  },
  'GET /_simulator/limits': (machine) => json(200, machine.limits),
  'POST /_simulator/limits': (machine, _, body) => {
    Object.assign(machine.limits, limitsSchema.parse(body));
    return json(200, machine.limits);
  },
  'GET /_simulator/faults': (machine) => json(200, { faults: machine.faults.list() }),
  'POST /_simulator/faults': (machine, _, body) => {
    machine.faults.add(...faultRulesSchema.parse(body));
    return json(200, { faults: machine.faults.list() });
  },
  'DELETE /_simulator/faults': (machine) => {
    machine.faults.clear();
    return done;
  },
  'DELETE /_simulator/tokens': (machine) => {
    machine.tokens.revokeAll();
    return done;
  },
  'DELETE /_simulator/authorizations': (machine) => {
    machine.authorizations.revokeAll();
    return done;
  },
  'POST /_simulator/clients': (machine, _, body) => {
    machine.state.setClient(seedClientSchema.parse(body));
    return done;
  },
  'POST /_simulator/administration': (machine, _, body) => {
    const hindrance = administer(machine.state, administrativeActionSchema.parse(body), machine.now());
    return hindrance === undefined ? done : problem([hindrance]);
  },
  'POST /_simulator/reset': (machine, _, body) => {
    const { seed } = z.strictObject({ seed: z.unknown().optional() }).parse(body ?? {});
    machine.reset(seed === undefined ? undefined : parseSeed(seed));
    return done;
  },
};

const done: Reply = { kind: 'reply', status: 204 };

export function isControl(url: string): boolean {
  return url === '/_simulator' || url.startsWith('/_simulator/') || url.startsWith('/_simulator?');
}

/** Answers a control request. */
export async function serveControl(
  machine: Machine,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isLoopback(request.socket.remoteAddress)) {
    await send(response, json(403, { problems: ['control is for loopback clients only'] }));
    return;
  }
  const url = new URL(request.url ?? '/', 'http://simulator');
  const control = controls[`${request.method} ${url.pathname}`];
  if (control === undefined) {
    await send(response, json(404, { problems: ['no such control'], controls: Object.keys(controls) }));
    return;
  }
  const bytes = await readBody(request, largestBody);
  if (bytes !== undefined) await send(response, await attempt(() => control(machine, url.searchParams, parse(bytes))));
}

/** Problems of the body become a 400 that names them all. */
async function attempt(run: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof z.ZodError) {
      return problem(error.issues.map((issue) => `${issue.path.map(String).join('.')}: ${issue.message}`));
    }
    if (error instanceof ConfigError || error instanceof SyntaxError) return problem(error.message.split('\n'));
    throw error;
  }
}

function parse(bytes: Buffer): unknown {
  return bytes.length === 0 ? undefined : (JSON.parse(bytes.toString()) as unknown);
}

function problem(problems: readonly string[]): Reply {
  return json(400, { problems });
}

function matchOf(query: URLSearchParams): { method: string | undefined; path: string | undefined } {
  return { method: query.get('method') ?? undefined, path: query.get('path') ?? undefined };
}

function selectRequests(machine: Machine, query: URLSearchParams): readonly object[] {
  const matching = machine.requests.matching(matchOf(query));
  const selected = query.get('write') === 'true' ? matching.filter((request) => request.write) : matching;
  const last = Number(query.get('last') ?? Number.NaN);
  return last > 0 ? selected.slice(-last) : selected;
}

function countsOf(machine: Machine): object {
  const { requests, state, tokens } = machine;
  return {
    requests: requests.total,
    writes: requests.writes,
    byEndpoint: requests.counts,
    byStatus: requests.statuses,
    underWay: machine.inFlight,
    busiestSecond: requests.busiest(),
    users: state.users.size,
    assignments: state.assignments.size,
    mails: state.mails.length,
    tokens: tokens.issued,
  };
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || (address !== undefined && /^(::ffff:)?127\./.test(address));
}
