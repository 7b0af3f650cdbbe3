import { describe, expect, test } from 'vitest';
import type { CallKind } from '../../src/twilio/endpoints.ts';
import { endpoints, requestPermission } from '../../src/twilio/endpoints.ts';
import { isTlsCode, networkFailure } from '../../src/twilio/network-failure.ts';
import { backoffMs, type Decision, decide, defaultRetryLimits } from '../../src/twilio/retry.ts';
import { retryAfterMs } from '../../src/twilio/retry-after.ts';

const kinds: readonly CallKind[] = ['read', 'replace-user', 'delete', 'create-user', 'create-assignment', 'token'];

/** One line per outcome, one word per kind of call, in the order of `kinds`. */
const matrix: ReadonlyArray<readonly [string, number, number | undefined, readonly Decision[]]> = [
  ['429', 429, undefined, ['wait', 'wait', 'wait', 'wait', 'wait', 'wait']],
  ['429 with 20429', 429, 20429, ['wait', 'wait', 'wait', 'wait', 'wait', 'wait']],
  ['503 with 25021', 503, 25021, ['wait', 'wait', 'wait', 'wait', 'wait', 'wait']],
  ['403 with 25109', 403, 25109, ['wait', 'wait', 'wait', 'wait', 'wait', 'wait']],
  ['500', 500, 20500, ['retry', 'look-first', 'retry', 'look-first', 'look-first', 'retry']],
  ['502', 502, undefined, ['retry', 'look-first', 'retry', 'look-first', 'look-first', 'retry']],
  ['504', 504, undefined, ['retry', 'look-first', 'retry', 'look-first', 'look-first', 'retry']],
  ['401', 401, 20003, ['new-token', 'new-token', 'new-token', 'new-token', 'new-token', 'stop']],
  ['401 with 70051', 401, 70051, ['stop', 'stop', 'stop', 'stop', 'stop', 'stop']],
  ['401 with 25018', 401, 25018, ['stop', 'stop', 'stop', 'stop', 'stop', 'stop']],
  ['403', 403, 20003, ['stop', 'stop', 'stop', 'stop', 'stop', 'stop']],
  ['403 with 25105', 403, 25105, ['stop', 'stop', 'stop', 'stop', 'stop', 'stop']],
  ['404 with 25100', 404, 25100, ['stop', 'stop', 'stop', 'stop', 'stop', 'stop']],
  ['409 with 25022', 409, 25022, ['give-up', 'taken', 'give-up', 'taken', 'look-first', 'stop']],
  ['400 with 25022', 400, 25022, ['give-up', 'taken', 'give-up', 'taken', 'look-first', 'stop']],
  ['409 with 25020', 409, 25020, ['give-up', 'read-again', 'give-up', 'taken', 'look-first', 'stop']],
  ['412', 412, undefined, ['give-up', 'read-again', 'give-up', 'taken', 'look-first', 'stop']],
  ['404 with 25008', 404, 25008, ['absent', 'absent', 'absent', 'give-up', 'give-up', 'stop']],
  ['400 with 25201', 400, 25201, ['give-up', 'give-up', 'give-up', 'give-up', 'settle', 'stop']],
  ['403 with 25017', 403, 25017, ['give-up', 'give-up', 'give-up', 'give-up', 'give-up', 'stop']],
  ['400', 400, 25002, ['give-up', 'give-up', 'give-up', 'give-up', 'give-up', 'stop']],
  ['302', 302, undefined, ['give-up', 'give-up', 'give-up', 'give-up', 'give-up', 'stop']],
  ['200', 200, undefined, ['done', 'done', 'done', 'done', 'done', 'done']],
];

describe('what follows an attempt', () => {
  test.each(matrix)('%s is decided by the kind of call', (_, status, twilioCode, wanted) => {
    const decisions = kinds.map((kind) => decide(kind, { status, twilioCode }));

    expect(decisions).toEqual(wanted);
  });

  test('an answer that was lost is looked for first where the request may have created or changed something', () => {
    const decisions = kinds.map((kind) => decide(kind, { network: 'lost' }));

    expect(decisions).toEqual(['retry', 'look-first', 'retry', 'look-first', 'look-first', 'retry']);
  });

  test('a request that never left is repeated whatever it was, and a TLS failure is not', () => {
    const unsent = kinds.map((kind) => decide(kind, { network: 'unsent' }));
    const tls = kinds.map((kind) => decide(kind, { network: 'tls' }));

    expect(new Set(unsent)).toEqual(new Set(['retry']));
    expect(new Set(tls)).toEqual(new Set(['give-up']));
  });

  test('a duplicate without a code is known by its scimType', () => {
    expect(decide('create-user', { status: 400, twilioCode: undefined, scimType: 'uniqueness' })).toBe('taken');
  });
});

describe('how long to wait', () => {
  const now = Date.UTC(2026, 5, 1, 12);

  test.each([
    ['seconds', '7', undefined, 7000],
    ['a fraction of a second', '0.2', undefined, 200],
    ['an HTTP date', 'Mon, 01 Jun 2026 12:00:30 GMT', undefined, 30_000],
    ['a date in the past', 'Mon, 01 Jun 2026 11:00:00 GMT', undefined, 0],
    ['hours, cut at the ceiling', '3244', undefined, 120_000],
    ['throttled_until', undefined, '2026-06-01T12:00:09Z', 9000],
    ['the header before throttled_until', '2', '2026-06-01T12:00:09Z', 2000],
    ['nonsense, then throttled_until', 'soon', '2026-06-01T12:00:09Z', 9000],
    ['a negative number', '-5', undefined, undefined],
    ['more digits than a number has', '9'.repeat(400), undefined, 120_000],
    ['a date in another century', 'Fri, 01 Jan 2126 00:00:00 GMT', undefined, 120_000],
    ['a number in other writing', '1e9', undefined, undefined],
    ['throttled_until that is over', undefined, '2026-06-01T11:00:00Z', 0],
    ['throttled_until of another century', undefined, '2126-06-01T11:00:00Z', 120_000],
    ['nothing', undefined, undefined, undefined],
    ['nothing usable', '', 'tomorrow', undefined],
  ])('Retry-After is read as %s', (_, header, throttledUntil, wanted) => {
    expect(retryAfterMs(header, throttledUntil, now, 120_000)).toBe(wanted);
  });

  test('backoff doubles up to its ceiling and keeps half of it free of chance', () => {
    const low = [1, 2, 3, 20].map((failures) => backoffMs(failures, defaultRetryLimits, () => 0));
    const high = [1, 2, 3, 20].map((failures) => backoffMs(failures, defaultRetryLimits, () => 1));

    expect(low).toEqual([250, 500, 1000, 15_000]);
    expect(high).toEqual([500, 1000, 2000, 30_000]);
  });
});

describe('network errors', () => {
  test.each([
    ['ECONNREFUSED', 'connect', 'unsent'],
    ['ENOTFOUND', 'getaddrinfo', 'unsent'],
    ['ETIMEDOUT', 'connect', 'unsent'],
    ['ETIMEDOUT', 'read', 'lost'],
    ['ECONNRESET', 'read', 'lost'],
    ['UND_ERR_CONNECT_TIMEOUT', undefined, 'unsent'],
    ['UND_ERR_HEADERS_TIMEOUT', undefined, 'lost'],
    ['UND_ERR_BODY_TIMEOUT', undefined, 'lost'],
    ['UND_ERR_SOCKET', undefined, 'lost'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', undefined, 'tls'],
    ['CERT_HAS_EXPIRED', undefined, 'tls'],
  ])('%s of %s means that the request was %s', (code, syscall, reach) => {
    const failure = networkFailure(Object.assign(new Error('trouble'), { code, syscall }));

    expect(failure).toMatchObject({ reach, code });
  });

  test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])(
    '%s is a matter of TLS',
    (code) => {
      expect(isTlsCode(code)).toBe(true);
    },
  );

  test('an attempt on several addresses is described by the first of them', () => {
    const inner = Object.assign(new Error('connect ECONNREFUSED ::1:443'), {
      code: 'ECONNREFUSED',
      syscall: 'connect',
    });

    const failure = networkFailure(new AggregateError([inner], ''));

    expect(failure).toMatchObject({ reach: 'unsent', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED ::1:443' });
  });
});

test('each documented call names its permission', () => {
  const permissions = Object.values(endpoints).map(({ method, template }) => requestPermission(method, template));

  expect(permissions.filter((each) => each !== undefined).sort()).toEqual([
    'managed-users/create',
    'managed-users/delete',
    'managed-users/list',
    'managed-users/read',
    'managed-users/update',
    'role-assignments/create',
    'role-assignments/delete',
    'role-assignments/list',
    'roles/list',
  ]);
  expect(requestPermission('GET', '/Organizations/{id}/Accounts')).toBeUndefined();
});
