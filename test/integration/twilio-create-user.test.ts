import { describe, expect, test } from 'vitest';
import type { Email, ExternalId } from '../../src/domain/identity.ts';
import {
  TargetConflictError,
  TargetContractError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../../src/errors.ts';
import { inTurn, type Respond } from '../support/scripted-http.ts';
import { errorFrom, externalId, listOf, never, refusal, scimUser, stage, userSid } from '../support/twilio-scripts.ts';

const post = 'POST /scim/v2/Users';
const list = 'GET /scim/v2/Users';
const attributes = {
  userName: 'person1@corp.example',
  'name.givenName': 'Person',
  'name.familyName': 'Number 1',
  locale: 'en-US',
};
const created = { status: 201, headers: { 'twilio-request-id': 'RQ1' }, json: scimUser(1) };
const taken = refusal(409, 25022);

/** Answers look-ups from these people as Twilio's filter does, after `hidden` look-ups that find nobody. */
function directory(people: () => readonly Record<string, unknown>[], hidden = 0): Respond {
  let left = hidden;
  return ({ query }) => {
    const [, name = '', value = ''] = /^(\w+) eq "(.*)"$/.exec(query.get('filter') ?? '') ?? [];
    if (left-- > 0) return listOf();
    return listOf(...people().filter((each) => each[name] === value));
  };
}

describe('creating', () => {
  test('sends the mapped attributes with the address as primary e-mail, once', async () => {
    await using scene = await stage({ [post]: () => created });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result).toMatchObject({ state: 'done', requestId: 'RQ1', user: { sid: userSid(1), externalId } });
    const request = scene.server.requests[1];
    expect(request?.headers['content-type']).toBe('application/scim+json');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      externalId: 'emp-1',
      userName: 'person1@corp.example',
      name: { givenName: 'Person', familyName: 'Number 1' },
      locale: 'en-US',
      emails: [{ primary: true, value: 'person1@corp.example', type: 'work' }],
      active: true,
    });
    expect(scene.lines).toEqual([post]);
  });

  test('finds the user by itself when the answer does not hold it', async () => {
    await using scene = await stage({ [post]: () => ({ status: 201 }), [list]: directory(() => [scimUser(1)], 3) });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result).toMatchObject({ state: 'done', user: { sid: userSid(1) } });
    expect(scene.lines.filter((line) => line === post)).toHaveLength(1);
  });

  test('repeats after 429, which Twilio did not process', async () => {
    await using scene = await stage({ [post]: inTurn({ status: 429 }, created) });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result.state).toBe('done');
    expect(scene.lines).toEqual([post, post]);
  });

  test.each([25002, 25005, 25007, 25010, 25017])('code %i is about this one record', async (code) => {
    await using scene = await stage({ [post]: () => refusal(400, code) });

    const error = await errorFrom(scene.target.createUser(externalId, attributes));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: code, status: 400, path: '/scim/v2/Users' });
    expect(scene.lines).toEqual([post]);
  });
});

describe('a lost answer', () => {
  test.each([
    ['a broken connection', { broken: 'before' as const }],
    ['a 500', { status: 500 }],
    ['a gateway that timed out', { status: 504, text: '<html>' }],
  ])('after %s is looked for, and not posted again when it took effect', async (_, reply) => {
    const people: Record<string, unknown>[] = [];
    const effective = () => {
      people.push(scimUser(1));
      return reply;
    };
    await using scene = await stage({ [post]: effective, [list]: directory(() => people) });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result).toMatchObject({ state: 'already', user: { sid: userSid(1) } });
    expect(scene.lines).toEqual([post, list]);
  });

  test('is posted again when nobody is there', async () => {
    await using scene = await stage({ [post]: inTurn({ status: 503 }, created), [list]: () => listOf() });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result.state).toBe('done');
    expect(scene.lines).toEqual([post, list, list, post]);
  });

  test('that took effect but is not visible yet ends in the user, not in a conflict', async () => {
    const answers = inTurn({ broken: 'before' }, taken);
    await using scene = await stage({ [post]: answers, [list]: directory(() => [scimUser(1)], 4) });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result).toMatchObject({ state: 'already', user: { sid: userSid(1) } });
    expect(scene.lines.filter((line) => line === post)).toHaveLength(2);
  });

  test('is ours too when Twilio kept no externalId and the user is new', async () => {
    const created = '2026-06-01T11:59:58.123456789Z';
    const young = scimUser(1, { externalId: null, meta: { created, version: 'W/1' } });
    await using scene = await stage({ [post]: () => ({ status: 500 }), [list]: directory(() => [young]) });

    const result = await scene.target.createUser(externalId, attributes);

    expect(result.state).toBe('already');
  });

  test.each([
    ['an old user without externalId', scimUser(1, { externalId: undefined })],
    ['a user of another externalId', scimUser(1, { externalId: 'emp-9' })],
  ])('that finds %s is a conflict, because that user is not ours', async (_, holder) => {
    await using scene = await stage({ [post]: () => ({ status: 500 }), [list]: directory(() => [holder]) });

    const error = await errorFrom(scene.target.createUser(externalId, attributes));

    expect(error).toBeInstanceOf(TargetConflictError);
    expect(error).toMatchObject({ holder: { user: { sid: userSid(1) } } });
  });

  test('is not repeated without end', async () => {
    await using scene = await stage(
      { [post]: () => ({ status: 500 }), [list]: () => listOf() },
      { retry: { attempts: 3 } },
    );

    const error = await errorFrom(scene.target.createUser(externalId, attributes));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect((error as Error).message).toContain('whether it took effect is not known');
    expect(scene.lines.filter((line) => line === post)).toHaveLength(3);
  });
});

describe('an address that is taken', () => {
  test.each([
    ['the address', scimUser(7, { userName: 'person1@corp.example' })],
    ['the externalId', scimUser(7, { externalId: 'emp-1' })],
  ])('names the user who has %s, for adoption', async (what, holder) => {
    await using scene = await stage({ [post]: () => taken, [list]: directory(() => [holder]) });

    const error = await errorFrom(scene.target.createUser(externalId, attributes));

    expect(error).toBeInstanceOf(TargetConflictError);
    expect(error).toMatchObject({ status: 409, twilioCode: 25022, holder: { user: { sid: userSid(7) } } });
    expect((error as Error).message).toContain(`user ${userSid(7)} has ${what}`);
    expect(JSON.parse((error as TargetConflictError).holder?.resource ?? '')).toEqual(holder);
  });

  test('by a login outside the organization says so, and what a person can do', async () => {
    await using scene = await stage({ [post]: () => taken, [list]: () => listOf() });

    const error = await errorFrom(scene.target.createUser(externalId, attributes));

    expect(error).toMatchObject({ twilioCode: 25022, holder: undefined });
    expect((error as Error).message).toContain('belongs to a Twilio login outside the organization');
    expect((error as TargetConflictError).hint).toMatch(/Invite person1@corp\.example.*import.*Console/);
    expect(scene.lines).toEqual([post, list, list]);
  });

  test('is known without a code and with status 400 too', async () => {
    const bare = { status: 400, json: { detail: 'exists', status: '400', scimType: 'uniqueness' } };
    await using scene = await stage({ [post]: () => bare, [list]: () => listOf() });

    const error = await errorFrom(scene.target.createUser(externalId, attributes));

    expect(error).toBeInstanceOf(TargetConflictError);
    expect(error).toMatchObject({ status: 400, twilioCode: 25022 });
  });
});

describe('finding', () => {
  test('escapes the value in the filter', async () => {
    const odd = 'a"b\\c+d&e@corp.example' as Email;
    await using scene = await stage({ [list]: () => listOf(scimUser(1, { userName: odd })) });

    const found = await scene.target.findUser({ userName: odd }, never);

    expect(found?.user.attributes.userName).toBe(odd);
    expect(scene.server.requests[1]?.query.get('filter')).toBe('userName eq "a\\"b\\\\c+d&e@corp.example"');
    expect(scene.server.requests[1]?.url).not.toMatch(/[+"\\ ]/);
  });

  test('compares addresses without letter case and externalIds exactly', async () => {
    const people = () => listOf(scimUser(1, { userName: 'Person1@Corp.Example', externalId: 'Emp-1' }));
    await using scene = await stage({ [list]: people });

    const byName = await scene.target.findUser({ userName: 'person1@corp.example' as Email }, never);
    const byId = await scene.target.findUser({ externalId }, never);
    const byOtherName = await scene.target.findUser({ userName: 'person2@corp.example' as Email }, never);

    expect([byName?.user.sid, byId, byOtherName]).toEqual([userSid(1), undefined, undefined]);
  });

  test('several matches are out of contract', async () => {
    await using scene = await stage({ [list]: () => listOf(scimUser(1), scimUser(2, { externalId: 'emp-1' })) });

    const error = await errorFrom(scene.target.findUser({ externalId: 'emp-1' as ExternalId }, never));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toContain(`${userSid(1)}, ${userSid(2)}`);
  });

  test.each([{ totalResults: 0 }, { totalResults: 0, Resources: [] }])('%j finds nobody', async (json) => {
    await using scene = await stage({ [list]: () => ({ json }) });

    expect(await scene.target.findUser({ externalId }, never)).toBeUndefined();
  });
});

describe('reading', () => {
  test.each([
    ['25008', refusal(404, 25008)],
    ['a bare 404', { status: 404 }],
  ])('%s means that there is no such user', async (_, reply) => {
    await using scene = await stage({ [`GET /scim/v2/Users/${userSid(1)}`]: () => reply });

    expect(await scene.target.readUser(userSid(1), never)).toBeUndefined();
  });

  test('an answer about somebody else is out of contract', async () => {
    await using scene = await stage({ [`GET /scim/v2/Users/${userSid(1)}`]: () => ({ json: scimUser(2) }) });

    const error = await errorFrom(scene.target.readUser(userSid(1), never));

    expect(error).toBeInstanceOf(TargetContractError);
  });
});
