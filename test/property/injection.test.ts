/** Values of a directory stay values: in a SCIM filter, an LDAP filter and a path they never become syntax. */

import fc from 'fast-check';
import { EqualityFilter } from 'ldapts';
import { expect, test } from 'vitest';
import type { ExternalId } from '../../src/domain/identity.ts';
import { InternalError } from '../../src/errors.ts';
import { defaultClient, defaultOrganizationSid } from '../../src/simulator/default-seed.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { escapeFilterValue, parseFilter } from '../../src/sources/ldap/filter.ts';
import { endpointsOf, urlOf } from '../../src/twilio/endpoints.ts';
import { createTwilioTarget } from '../../src/twilio/twilio-target.ts';
import { holds, holdsAsync } from '../support/properties.ts';

const hostile = [
  '"',
  '\\',
  '\\"',
  '" or userName pr or "',
  'a" eq "a',
  '%22',
  '+',
  '&filter=',
  '#',
  '\u0000',
  '\n',
  '*',
  ')(uid=*))(|(uid=*',
  '\u{1f600}',
  '..',
  '../../Roles',
];
const value = fc.oneof(
  fc.constantFrom(...hostile),
  fc.string({ unit: 'binary', minLength: 2, maxLength: 40 }),
  fc.array(fc.constantFrom(...hostile, 'a', ' '), { minLength: 1, maxLength: 6 }).map((parts) => parts.join('')),
);

test('a look-up at Twilio finds the one who is called exactly so, and nobody else, whatever the key', async () => {
  const keys = hostile.filter((key) => key.length > 1).map((key) => `k${key}`);
  const users = keys.map((externalId, index) => ({ userName: `p${index}@corp.example`, externalId }));
  await using simulator = await startSimulator({ seed: { users } });
  const { url } = simulator;
  const quiet = () => {};
  await using target = createTwilioTarget({
    organization: defaultOrganizationSid as never,
    clientId: defaultClient.clientId,
    clientSecret: { reference: 'x', read: () => defaultClient.clientSecret },
    endpoints: { iam: url, oauth: url, accounts: url },
    limits: { requestsPerSecond: 10_000, maxConcurrent: 2, timeoutMs: 5_000 },
    clock: { now: () => Date.now(), sleep: () => Promise.resolve() },
    logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
  const never = new AbortController().signal;

  await holdsAsync(
    fc.asyncProperty(fc.oneof(fc.constantFrom(...keys), value), async (key) => {
      const found = await target.findUser({ externalId: key as ExternalId }, never);

      expect(found?.user.externalId).toBe(keys.includes(key) ? key : undefined);
    }),
    60,
  );
});

test('a value within an LDAP filter is that value and nothing else', () => {
  holds(
    fc.property(value, (text) => {
      const filter = parseFilter(`(memberOf=${escapeFilterValue(text)})`);

      expect(filter).toBeInstanceOf(EqualityFilter);
      expect((filter as EqualityFilter).value).toBe(text.toWellFormed());
    }),
    500,
  );
});

test('an id that is no SID leads nowhere', () => {
  for (const id of ['..', '.', 'US1/../Roles', 'US%2e%2e', 'US1?x=1', 'US1#', '\\..']) {
    const place = { base: 'https://iam.example', organization: defaultOrganizationSid };
    expect(() => urlOf(place, endpointsOf('current').readUser, id)).toThrow(InternalError);
  }
});
