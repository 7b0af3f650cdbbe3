/**
 * Every call that a run makes, every way to lose or spoil its answer, and when it happens. `FAULTS=all` takes every case
 * (`npm run test:faults`); otherwise one in eleven is taken, so that each fault and each call comes at each moment.
 */
import type { Fault, FaultMatch, FaultRule } from '../../src/simulator/faults.ts';

const users = '/scim/v2/Users';
const user = '/scim/v2/Users/{id}';
const assignments = '/v2/Organizations/RoleAssignments';

interface Call {
  readonly match: FaultMatch & { readonly method: string };
  /** What makes the run come to this call. */
  readonly provoke?: FaultRule;
}

const lostCreation: FaultRule = {
  match: { method: 'POST', path: users, body: { externalId: 'joiner-1' } },
  times: 1,
  fault: 'reset-after',
};
const lostUpdate: FaultRule = {
  match: { method: 'PUT', path: user, body: { externalId: 'married' } },
  times: 1,
  fault: 'reset-after',
};

/** In the mixed change, with roles and assignments read anew. */
export const calls = {
  'create user': { match: { method: 'POST', path: users } },
  'update user': { match: { method: 'PUT', path: user, body: { externalId: 'married' } } },
  'rename user': { match: { method: 'PUT', path: user, body: { externalId: 'renamed' } } },
  'reactivate user': { match: { method: 'PUT', path: user, body: { externalId: 'returner' } } },
  'adopt user': { match: { method: 'PUT', path: user, body: { externalId: 'adoptee' } } },
  'deactivate user': { match: { method: 'DELETE', path: user } },
  'assign role': { match: { method: 'POST', path: assignments } },
  'revoke role': { match: { method: 'DELETE', path: `${assignments}/{id}` } },
  token: { match: { method: 'POST', path: '/v2/token' } },
  'list users': { match: { method: 'GET', path: users, query: { filter: null } } },
  'look up user': {
    match: { method: 'GET', path: users, query: { filter: 'userName eq "joiner-1@corp.example"' } },
    provoke: lostCreation,
  },
  'read user': { match: { method: 'GET', path: user }, provoke: lostUpdate },
  'list roles of a scope': { match: { method: 'GET', path: assignments, query: { Identity: null } } },
  'list roles of a user': { match: { method: 'GET', path: assignments, query: { Scope: null } } },
  'list role names': { match: { method: 'GET', path: '/v2/Organizations/Roles' } },
  'list accounts': { match: { method: 'GET', path: '/Organizations/{id}/Accounts' } },
} as const satisfies Readonly<Record<string, Call>>;
export type CallName = keyof typeof calls;

export const faults = {
  'reset before it takes effect': 'reset-before',
  'reset after it took effect': 'reset-after',
  'reset in the head': 'reset-head',
  'reset in the body': 'truncate',
  'half of the JSON, length right': 'cut-short',
  'nothing, status right': 'empty',
  'body without end': 'endless',
  'a byte at a time': 'drip',
  'wrong content type': 'mistyped',
  'silence before it takes effect': 'hang',
  'silence after it took effect': 'hang-after',
  '502 with HTML': 'html',
  '502 with HTML after effect': 'html-after',
  '200 with HTML': 'page',
  'HTML in place of the answer': 'page-after',
  '500': { status: 500 },
  '500 after effect': { status: 500, effect: true },
  '500 with nothing after effect': { status: 500, body: '', effect: true },
  '503 with Retry-After': { status: 503, headers: { 'Retry-After': '2' } },
  '504 with text after effect': { status: 504, body: 'upstream timed out', effect: true },
} as const satisfies Readonly<Record<string, Fault>>;
export type FaultName = keyof typeof faults;

export const moments = ['first try', 'second try', 'always'] as const;
export type Moment = (typeof moments)[number];

export interface FaultCase {
  readonly fault: FaultName;
  readonly call: CallName;
  readonly moment: Moment;
}

export function faultCases(): readonly FaultCase[] {
  const all: { readonly faultCase: FaultCase; readonly number: number }[] = [];
  (Object.keys(faults) as FaultName[]).forEach((fault, row) => {
    (Object.keys(calls) as CallName[]).forEach((call, column) => {
      moments.forEach((moment, third) => {
        all.push({ faultCase: { fault, call, moment }, number: 5 * row + 4 * column + third });
      });
    });
  });
  const everything = process.env.FAULTS === 'all';
  return all.filter(({ number }) => everything || number % 11 === 0).map(({ faultCase }) => faultCase);
}

export function rulesOf({ fault, call, moment }: FaultCase): readonly FaultRule[] {
  const { match, provoke }: Call = calls[call];
  const played = faults[fault];
  const rules = provoke === undefined ? [] : [provoke];
  if (moment === 'always') return [...rules, { match, fault: played }];
  const lost: FaultRule = { match, times: 1, fault: { status: 503 } };
  return [...rules, ...(moment === 'second try' ? [lost] : []), { match, times: 1, fault: played }];
}

/** Faults that leave the answer readable: nothing needs to be tried again. */
export function isHarmless({ fault, call }: FaultCase): boolean {
  if (fault === 'wrong content type') return true;
  return fault === 'nothing, status right' && calls[call].match.method !== 'GET' && call !== 'token';
}

/** A body without end is no fault that passes, except in the list that has no size by contract. */
export function endsTheRun({ fault, call }: FaultCase): boolean {
  return fault === 'body without end' && calls[call].match.method === 'GET' && call !== 'list users';
}

/** Time-outs are real ones. */
export function patienceFor({ fault }: FaultCase): Readonly<Record<string, string>> {
  return fault.startsWith('silence') || fault === 'a byte at a time' ? { TDSYNC_TWILIO_TIMEOUT: '300ms' } : {};
}
