/**
 * A programmable list of faults. Rules are tried in order; the first that matches and is due is played. Each rule counts
 * its own matching requests, in order of arrival, so the same sequence of requests always meets the same faults.
 * Requests refused by the rate limit were not processed and meet no fault; the token endpoint does.
 *
 *   fault          effect   what the client sees
 *   reset-before   no       connection reset
 *   reset-after    yes      connection reset
 *   reset-head     yes      half of the head, then a reset
 *   truncate       yes      the right head, half of the body, then a reset
 *   cut-short      yes      half of the body, with the length of that half: nothing looks lost but the JSON
 *   empty          yes      the right status without a body
 *   endless        yes      the right answer, then blanks without end
 *   drip           yes      the right answer a byte at a time, slower than anybody waits
 *   mistyped       yes      the right answer, called `text/html`
 *   hang           no       nothing, until one side closes
 *   hang-after     yes      nothing, until one side closes
 *   html           no       502 with the HTML of an edge proxy
 *   html-after     yes      502 with the HTML of an edge proxy
 *   page           no       200 with an HTML page, as a captive portal has it
 *   page-after     yes      the right status with an HTML page
 *   {status, …}    no, or yes with effect: true
 */

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { matches, type RequestMatch } from './recorder.ts';

const answer = z.strictObject({
  status: z.int().min(200).max(599),
  /** Sent as JSON unless it is text. Left out: the error body of the endpoint. */
  body: z.unknown().optional(),
  /** Left out: the body has the endpoint's usual Twilio code for this status. */
  code: z.int().nullable().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  /** The request takes effect before this answer hides it. */
  effect: z.boolean().optional(),
});

/** By name, and whether the request is carried out before the fault shows. */
const named = {
  'reset-before': false,
  'reset-after': true,
  'reset-head': true,
  truncate: true,
  'cut-short': true,
  empty: true,
  endless: true,
  drip: true,
  mistyped: true,
  hang: false,
  'hang-after': true,
  html: false,
  'html-after': true,
  page: false,
  'page-after': true,
} as const;

export type NamedFault = keyof typeof named;
export const namedFaults = Object.keys(named) as readonly NamedFault[];

const fault = z.union([z.enum(namedFaults), answer]);

const faultRule = z.strictObject({
  /** Method and path template, such as `/scim/v2/Users/{id}`; what is left out matches everything. */
  match: z
    .strictObject({
      method: z.string().optional(),
      path: z.string().optional(),
      /** Query parameters and members of the body with their values; null for one that is not there. */
      query: z.record(z.string(), z.string().nullable()).optional(),
      body: z.record(z.string(), z.json()).optional(),
    })
    .optional(),
  /** Matching requests that pass unharmed first; default 0. */
  after: z.int().min(0).optional(),
  /** Matching requests that meet the fault then; default: all of them. */
  times: z.int().min(1).optional(),
  fault,
});

export const faultRulesSchema = z.union([faultRule.transform((rule) => [rule]), z.array(faultRule)]);

type Loose<T> = T extends object ? { readonly [Key in keyof T]: T[Key] } : T;
export type Fault = Loose<z.infer<typeof fault>>;
export interface FaultMatch extends RequestMatch {
  readonly query?: Readonly<Record<string, string | null>> | undefined;
  readonly body?: Readonly<Record<string, unknown>> | undefined;
}
export interface FaultRule {
  readonly match?: FaultMatch | undefined;
  readonly after?: number | undefined;
  readonly times?: number | undefined;
  readonly fault: Fault;
}

interface Armed {
  readonly rule: FaultRule;
  seen: number;
  played: number;
}

/** What rules look at. */
export interface FaultyRequest {
  readonly method: string;
  /** A template. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** As parsed; undefined for none. */
  readonly body: unknown;
}

export class Faults {
  #armed: Armed[] = [];

  /** Adds rules behind those that are there. */
  add(...rules: readonly FaultRule[]): void {
    this.#armed.push(...rules.map((rule) => ({ rule, seen: 0, played: 0 })));
  }

  clear(): void {
    this.#armed = [];
  }

  /** The rules with how often each was played. */
  list(): readonly (FaultRule & { readonly played: number })[] {
    return this.#armed.map(({ rule, played }) => ({ ...rule, played }));
  }

  /** The fault for a request that has arrived, if any. */
  take(request: FaultyRequest): Fault | undefined {
    let due: Armed | undefined;
    for (const armed of this.#armed) {
      const { match = {}, after = 0, times = Number.POSITIVE_INFINITY } = armed.rule;
      if (!matches(match, request) || !hasContent(match, request)) continue;
      armed.seen++;
      if (due === undefined && armed.seen > after && armed.played < times) due = armed;
    }
    if (due !== undefined) due.played++;
    return due?.rule.fault;
  }
}

/** For the record. */
export function describeFault(fault: Fault): string {
  return typeof fault === 'string' ? fault : `${fault.status}${fault.effect === true ? ' after effect' : ''}`;
}

/** Whether the request is carried out before the fault shows. */
export function takesEffect(fault: Fault): boolean {
  return typeof fault === 'string' ? named[fault] : fault.effect === true;
}

function hasContent({ query = {}, body = {} }: FaultMatch, request: FaultyRequest): boolean {
  const members = (typeof request.body === 'object' ? request.body : null) as Readonly<Record<string, unknown>> | null;
  return (
    Object.entries(query).every(([name, value]) => request.query.get(name) === value) &&
    Object.entries(body).every(([name, value]) => isDeepStrictEqual(members?.[name] ?? null, value))
  );
}
