/** One organization in which everything happens, for what is shown to people. */

import type { RunReport } from '../../src/domain/run.ts';
import { billOf } from '../../src/engine/bill.ts';
import { guard } from '../../src/engine/guards.ts';
import { callNames, endpointsOf } from '../../src/twilio/endpoints.ts';
import {
  administrator,
  assignment,
  entry,
  lastApplied,
  link,
  mainAccount,
  noLimits,
  rules,
  support,
  twilioUser,
} from './builders.ts';
import { type Given, planFor } from './planning.ts';

export const everything: Given = {
  rules: rules({
    filter: 'entry.kind != "contractor"',
    policy: { protect: ['boss@corp.example'], drift: 'overwrite' },
  }),
  entries: [
    entry('adopted', { givenName: 'Ada' }, ['developers']),
    entry('back', {}, ['admins']),
    entry('boss', { givenName: 'Boss' }),
    entry('contractor', { kind: 'contractor' }),
    entry('drifted', { givenName: 'Dora' }),
    entry('heir', { mail: 'left@corp.example' }),
    entry('joiner', { givenName: 'Jo', sn: 'Oduya' }, ['developers', 'admins']),
    entry('married', { mail: 'reis@corp.example', sn: 'Reis' }),
    entry('mover', {}, ['admins']),
    entry('namesake-1', { mail: 'same@corp.example' }),
    entry('namesake-2', { mail: 'SAME@corp.example' }),
    entry('swap-1', { mail: 'swap-2@corp.example' }),
    entry('swap-2', { mail: 'swap-1@corp.example' }),
    entry('', { mail: 'nobody@corp.example' }),
  ],
  users: [
    twilioUser(1, 'adopted', { externalId: undefined }),
    twilioUser(2, 'back', { active: false }),
    twilioUser(3, 'boss'),
    twilioUser(4, 'contractor'),
    twilioUser(5, 'drifted', { 'name.givenName': 'Somebody' }),
    twilioUser(6, 'left'),
    twilioUser(7, 'married', { 'name.familyName': 'Oduya' }),
    twilioUser(8, 'mover'),
    twilioUser(9, 'swap-1'),
    twilioUser(10, 'swap-2'),
    twilioUser(11, 'stranger', { externalId: undefined }),
  ],
  links: [
    link('back', 2),
    link('boss', 3),
    link('contractor', 4),
    link('drifted', 5),
    link('left', 6),
    link('married', 7),
    link('mover', 8),
    link('swap-1', 9),
    link('swap-2', 10),
    link('vanished', 99),
  ],
  assignments: [
    assignment(1, 4),
    assignment(2, 6, { role: administrator, scope: mainAccount }),
    assignment(3, 8),
    assignment(4, 5),
    assignment(5, 1),
    assignment(6, 1, { role: support, scope: mainAccount }),
  ],
  records: [{ ...assignment(3, 8), origin: 'granted' }],
  applied: {
    back: lastApplied({}, { active: false }),
    drifted: lastApplied({ userName: 'drifted@corp.example', 'name.givenName': 'Dora' }),
  },
};

export function sampleReport(given: Given, over: Partial<RunReport> = {}, limits = noLimits): RunReport {
  const { plan } = planFor(given);
  const lastRead = { entries: plan.counts.entries, inScope: plan.counts.inScope };
  return {
    dryRun: true,
    status: 'planned',
    startedAt: Date.UTC(2026, 10, 24, 9, 15),
    endedAt: Date.UTC(2026, 10, 24, 9, 15, 4),
    plan,
    verdict: guard({ plan, limits, allowances: new Map(), lastRead, holders: () => new Set(), watched: [] }),
    operations: [],
    findings: plan.findings,
    calls: { 'GET /scim/v2/Users': 1 },
    bill: billOf(plan.operations, 5, callNames(endpointsOf('current'))),
    ...over,
  };
}
