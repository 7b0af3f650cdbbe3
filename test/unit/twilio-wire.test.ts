import { describe, expect, test } from 'vitest';
import { readClaims, renewalTime } from '../../src/twilio/access-token.ts';
import { parseErrorBody } from '../../src/twilio/error-body.ts';
import { nextPage, rowsOf } from '../../src/twilio/paging.ts';
import { readAccount, readAssignment, readRole, readUser } from '../../src/twilio/wire.ts';
import { account, jwt, organization, role, scimUser, userSid } from '../support/twilio-scripts.ts';

describe('error bodies', () => {
  test.each([
    ['SCIM', { schemas: [], detail: 'taken', status: '409', scimType: 'uniqueness', code: 25022, moreInfo: 'x' }],
    ['Twilio', { code: 25022, message: 'taken', more_info: 'x', status: 409, scimType: 'uniqueness' }],
    ['service', { code: 25022, message: 'taken', moreInfo: 'x', status: 409, params: {}, scimType: 'uniqueness' }],
    ['a code as text', { code: '25022', message: 'taken', scimType: 'uniqueness' }],
  ])('the shape %s is understood', (_, body) => {
    expect(parseErrorBody(JSON.stringify(body))).toEqual({ code: 25022, message: 'taken', scimType: 'uniqueness' });
  });

  test.each([
    [
      'throttled',
      '{"message":"later","throttled_until":"2026-06-01T12:00:00Z"}',
      { message: 'later', throttledUntil: '2026-06-01T12:00:00Z' },
    ],
    [
      'OAuth',
      '{"error":"invalid_client","error_description":"unknown client"}',
      { message: 'unknown client', oauthError: 'invalid_client' },
    ],
    [
      'OAuth without description',
      '{"error":"invalid_client"}',
      { message: 'invalid_client', oauthError: 'invalid_client' },
    ],
    [
      'an HTML page',
      '<html><head><title>502 Bad\nGateway</title></head><body>x</body></html>',
      { message: '502 Bad Gateway' },
    ],
    ['HTML without a title', '<p>oops</p>', {}],
    ['plain text', 'upstream timed out\n', { message: 'upstream timed out' }],
    ['nothing', '', {}],
    ['null', 'null', { message: 'null' }],
    ['a wrong type of everything', '{"code":true,"message":7,"detail":null}', {}],
  ])('%s is survived', (_, text, wanted) => {
    expect(parseErrorBody(text)).toEqual(wanted);
  });

  test('a token echoed in a message is not repeated, and a long message is cut', () => {
    const { message } = parseErrorBody(
      JSON.stringify({ message: `Bearer abc.def and ${jwt({ a: 1 })} ${'x'.repeat(500)}` }),
    );

    expect(message).toMatch(/^Bearer \[token\] and \[token\] x+…$/);
    expect(message?.length).toBeLessThanOrEqual(301);
  });
});

describe('users', () => {
  test('what Twilio documents is read', () => {
    expect(readUser(scimUser(1))).toEqual({
      sid: userSid(1),
      externalId: 'emp-1',
      attributes: {
        userName: 'person1@corp.example',
        displayName: 'Person 1',
        'name.givenName': 'Person',
        'name.familyName': 'Number 1',
        locale: 'en-US',
        timezone: 'Europe/Lisbon',
      },
      active: true,
      version: 'W/4',
    });
  });

  test('absent, null and empty values all mean that there is none', () => {
    const bare = { id: userSid(1), userName: 'person1@corp.example' };
    const empty = { ...bare, externalId: '', displayName: null, name: { givenName: '', familyName: null }, meta: null };

    const users = [bare, empty].map(readUser);

    expect(users[0]).toEqual(users[1]);
    expect(users[0]).toMatchObject({ externalId: undefined, active: true, version: undefined });
  });

  test('unknown properties and types are ignored', () => {
    const user = readUser(scimUser(1, { colour: 'red', locale: 7, emails: 'none', meta: { version: 4 } }));

    expect(user.attributes.locale).toBeUndefined();
    expect(user.version).toBeUndefined();
  });

  test.each([
    ['no id', { userName: 'a@corp.example' }, /a user's id is absent/],
    ['an id of another kind', scimUser(1, { id: account }), /not a US… SID/],
    ['no name at all', { id: userSid(1) }, /neither userName nor address/],
    ['no object', 'US1', /not a JSON object/],
  ])('a user with %s is not guessed at', (_, value, message) => {
    expect(() => readUser(value)).toThrow(message);
  });
});

describe('assignments, roles and accounts', () => {
  const row = { sid: 'IY000000000000000000000000000000b1', role_sid: role, scope: account, identity: userSid(1) };

  test('an assignment is read, and one for a single resource is nobody of ours', () => {
    const plain = readAssignment({ ...row, resource_type: null, resource_id: '' });
    const resourceBased = readAssignment({ ...row, resource_type: 'billing_group', resource_id: 'billing_group_1' });

    expect(plain).toEqual({ sid: row.sid, role, scope: account, user: userSid(1) });
    expect(resourceBased).toBeUndefined();
  });

  test('an assignment without a role is out of contract', () => {
    expect(() => readAssignment({ ...row, role_sid: null })).toThrow(/lacks a usable identity, role_sid or scope/);
  });

  test('a level that is not known leaves the role usable', () => {
    expect(readRole({ sid: role, friendly_name: 'Developer', lowest_level: 'GALAXY' })).toEqual({
      sid: role,
      name: 'Developer',
      lowestLevel: undefined,
    });
  });

  test('an account without owner is read', () => {
    expect(readAccount({ account_sid: account, friendly_name: 'Sandbox', status: 'active', owner_sid: null })).toEqual({
      sid: account,
      name: 'Sandbox',
      status: 'active',
      owner: undefined,
    });
  });
});

describe('page links', () => {
  const current = new URL('https://iam.example/base/v2/Organizations/RoleAssignments?Scope=OR1&PageSize=100');
  const next = (meta: object) => nextPage(current, { meta })?.href;

  test('a link to the configured origin is followed as it stands', () => {
    expect(next({ next_page_url: 'https://iam.example/elsewhere?Page=1&PageToken=t' })).toBe(
      'https://iam.example/elsewhere?Page=1&PageToken=t',
    );
  });

  test('a relative link is resolved against the current page', () => {
    expect(next({ next_page_uri: '/v2/x?PageToken=t' })).toBe('https://iam.example/v2/x?PageToken=t');
  });

  test.each(['https://other.example', 'http://iam.example', 'https://iam.example:8443', 'https://user@iam.example'])(
    'of a link to %s only the page is taken',
    (origin) => {
      expect(next({ next_page_url: `${origin}/v2/y?Evil=1&Page=1&PageToken=a%2Fb` })).toBe(
        'https://iam.example/base/v2/Organizations/RoleAssignments?Scope=OR1&PageSize=100&PageToken=a%2Fb&Page=1',
      );
    },
  );

  test('a foreign link without a page is an error', () => {
    expect(() => next({ next_page_url: 'https://other.example/next' })).toThrow(/no page parameters/);
  });

  test('null, empty and absent links end the list', () => {
    expect([{}, { next_page_url: null }, { next_page_url: '' }].map(next)).toEqual([undefined, undefined, undefined]);
    expect(nextPage(current, {})).toBeUndefined();
  });

  test('meta.key picks the array, and without it the only array is taken', () => {
    expect(rowsOf({ meta: { key: 'rows' }, rows: [1], other: [2] })).toEqual([1]);
    expect(rowsOf({ content: [1] })).toEqual([1]);
    expect(() => rowsOf({ a: [1], b: [2] })).toThrow(/no list/);
  });
});

describe('how long a token is kept', () => {
  const now = Date.UTC(2026, 5, 1, 12);
  const seconds = now / 1000;
  const none = { exp: undefined, iat: undefined, organization: undefined };

  test.each([
    ['expires_in', 3600, none, 3540],
    ['the JWT when it ends earlier', 86_400, { ...none, exp: seconds + 600 }, 540],
    ['expires_in when it ends earlier', 600, { ...none, exp: seconds + 86_400 }, 540],
    ['one hour when expires_in is absurd', 1_438_315_200_000, none, 3540],
    ['one hour when expires_in is null', null, none, 3540],
    ['one hour when expires_in is zero', 0, none, 3540],
    ['half of a very short life', 60, none, 30],
    ['the life in the JWT when our clock is ahead', null, { ...none, iat: seconds - 7200, exp: seconds - 3600 }, 3540],
  ])('it is %s', (_, expiresIn, claims, wanted) => {
    expect((renewalTime(now, expiresIn, claims) - now) / 1000).toBe(wanted);
  });

  test('the organization is read from act.sub, and nothing is read from other text', () => {
    const token = jwt({ sub: 'urn:x:OQ1', act: { sub: `urn:twilio:${organization}` }, exp: 5, iat: 'x' });

    expect(readClaims(token)).toEqual({ exp: 5, iat: undefined, organization });
    expect(readClaims('opaque')).toEqual(none);
    expect(readClaims('a.b.c')).toEqual(none);
  });
});
