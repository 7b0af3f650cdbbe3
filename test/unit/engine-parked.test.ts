import { expect, test } from 'vitest';
import type { Operation } from '../../src/domain/operation.ts';
import type { FindingCode } from '../../src/domain/plan.ts';
import { recordDigest } from '../../src/engine/parking.ts';
import type { Parked } from '../../src/ports.ts';
import { entry, externalId, link, rules, twilioUser, userSid } from '../support/builders.ts';
import { codesOf, findingOf, type Given, operationOf, planFor, stepsOf } from '../support/planning.ts';

const hour = 3_600_000;

function parked(
  operations: readonly (Operation | undefined)[],
  code: FindingCode = 'parked',
  retryAt: number | 'never' = hour,
): Parked {
  return {
    externalId: operations[0]?.externalId ?? externalId(''),
    record: operations.flatMap((operation) => (operation ? [recordDigest(operation)] : [])).join(' '),
    code,
    message: 'Twilio said no',
    since: 0,
    attempts: 1,
    retryAt: retryAt === 'never' ? undefined : retryAt,
  };
}

const joiner: Given = { entries: [entry('ann', { givenName: 'Ann' }, ['developers'])] };

test('what Twilio refused is not tried again before its time, nor what waits for it', () => {
  const park = parked([operationOf(planFor(joiner), 'create')]);

  const planned = planFor({ ...joiner, parked: [park], now: hour - 1 });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['parked ann']);
  expect(findingOf(planned, 'parked').message).toBe(
    'create was refused by Twilio (Twilio said no); not tried again until 1970-01-01T01:00:00.000Z',
  );
  expect(planned.waiting).toEqual(new Set(['ann']));
});

test('when its time has come it is tried again', () => {
  const park = parked([operationOf(planFor(joiner), 'create')]);

  const planned = planFor({ ...joiner, parked: [park], now: hour });

  expect(stepsOf(planned)).toEqual(['create ann', 'grant ann']);
  expect(planned.waiting.size).toBe(0);
});

test('when the record changes it is tried again at once', () => {
  const park = parked([operationOf(planFor(joiner), 'create')], 'address-taken', 'never');

  const planned = planFor({ entries: [entry('ann', { mail: 'free@corp.example' })], parked: [park] });

  expect(stepsOf(planned)).toEqual(['create ann']);
});

test('what only a person can mend waits for a change, and keeps its code', () => {
  const park = parked([operationOf(planFor(joiner), 'create')], 'address-taken', 'never');

  const planned = planFor({ ...joiner, parked: [park], now: Number.MAX_SAFE_INTEGER });

  expect(codesOf(planned)).toEqual(['address-taken ann']);
  expect(findingOf(planned, 'address-taken').message).toContain('until the record changes');
});

test('the rest of the person goes on', () => {
  const given: Given = {
    entries: [entry('ann', { givenName: 'New' }, ['developers', 'admins'])],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  };
  const grant = planFor(given).plan.operations.find(({ kind }) => kind === 'grant');

  const planned = planFor({ ...given, parked: [parked([grant])] });

  expect(stepsOf(planned)).toEqual(['update ann', 'grant ann']);
});

test('two refused roles of one person wait side by side', () => {
  const given: Given = {
    entries: [entry('ann', {}, ['developers', 'admins'])],
    users: [twilioUser(1, 'ann')],
    links: [link('ann', 1)],
  };

  const planned = planFor({ ...given, parked: [parked(planFor(given).plan.operations)] });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['parked ann', 'parked ann']);
});

test('an adoption that was refused takes its revocations along', () => {
  const given: Given = {
    entries: [entry('ann')],
    users: [twilioUser(1, 'ann')],
    assignments: [
      {
        sid: 'IY1' as never,
        user: userSid(1),
        role: `IX${'0'.repeat(31)}1` as never,
        scope: `AC${'0'.repeat(31)}1` as never,
      },
    ],
  };
  expect(stepsOf(planFor(given))).toEqual(['adopt ann', 'revoke ann']);

  const planned = planFor({ ...given, parked: [parked([operationOf(planFor(given), 'adopt')])] });

  expect(stepsOf(planned)).toEqual([]);
});

test('a ring whose first step was refused waits as a whole', () => {
  const given: Given = {
    entries: [entry('ann', { mail: 'bob@corp.example' }), entry('bob', { mail: 'ann@corp.example' })],
    users: [twilioUser(1, 'ann'), twilioUser(2, 'bob')],
    links: [link('ann', 1), link('bob', 2)],
  };
  const [way] = planFor(given).plan.operations;

  const planned = planFor({ ...given, parked: [parked([way])] });

  expect(stepsOf(planned)).toEqual([]);
  expect(codesOf(planned)).toEqual(['parked ann', 'recycled-address ann', 'recycled-address bob']);
  expect(planned.waiting).toEqual(new Set(['ann']));
});

test('somebody who is parked with nothing left to do is no finding', () => {
  const park = parked([operationOf(planFor(joiner), 'create')]);

  const planned = planFor({ entries: [], parked: [park], rules: rules() });

  expect(planned.plan.findings).toEqual([]);
});
