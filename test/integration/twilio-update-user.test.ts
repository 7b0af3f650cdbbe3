import { describe, expect, test } from 'vitest';
import {
  TargetConflictError,
  TargetContractError,
  TargetRejectedError,
  TargetUnavailableError,
} from '../../src/errors.ts';
import { inTurn } from '../support/scripted-http.ts';
import { errorFrom, externalId, refusal, scimUser, stage, userSid } from '../support/twilio-scripts.ts';

const get = `GET /scim/v2/Users/${userSid(1)}`;
const put = `PUT /scim/v2/Users/${userSid(1)}`;
const remove = `DELETE /scim/v2/Users/${userSid(1)}`;
const change = { attributes: { displayName: 'New' } };
const version = (number: number) => ({ resourceType: 'user', version: `W/${number}` });
const changed = { json: scimUser(1, { displayName: 'New', meta: version(5) }) };
const known = JSON.stringify(scimUser(1));
const conflict = refusal(409, 25020);

describe('replacing', () => {
  test('lays the change over what was read and writes it under the version that was read', async () => {
    const before = scimUser(1, { colour: 'red', nickName: null, 'urn:x': { a: 1 } });
    await using scene = await stage({ [get]: () => ({ json: before }), [put]: () => changed });

    const result = await scene.target.updateUser(userSid(1), { attributes: { 'name.familyName': 'Reis' } }, undefined);

    expect(result).toMatchObject({ state: 'done', user: { version: 'W/5' } });
    const request = scene.server.requests.at(-1);
    expect(request?.headers['if-match']).toBe('W/4');
    expect(JSON.parse(request?.body ?? '')).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      externalId: 'emp-1',
      userName: 'person1@corp.example',
      displayName: 'Person 1',
      name: { givenName: 'Person', familyName: 'Reis' },
      emails: [{ primary: true, value: 'person1@corp.example', type: 'work' }],
      active: true,
      locale: 'en-US',
      timezone: 'Europe/Lisbon',
      meta: { version: 'W/4' },
      colour: 'red',
      'urn:x': { a: 1 },
    });
  });

  test('spares the read while the resource known is whole', async () => {
    await using scene = await stage({ [get]: () => ({ json: scimUser(1) }), [put]: () => changed });

    await scene.target.updateUser(userSid(1), change, known);

    expect(scene.lines).toEqual([put]);
  });

  test.each([
    ['has no version', JSON.stringify(scimUser(1, { meta: null }))],
    ['has no e-mails', JSON.stringify(scimUser(1, { emails: [] }))],
    ['is somebody else', JSON.stringify(scimUser(2))],
    ['is not JSON', 'W/4'],
  ])('reads first when the resource known %s', async (_, resource) => {
    await using scene = await stage({ [get]: () => ({ json: scimUser(1) }), [put]: () => changed });

    await scene.target.updateUser(userSid(1), change, resource);

    expect(scene.lines).toEqual([get, put]);
  });

  test('writes nothing when Twilio is as wanted', async () => {
    await using scene = await stage({ [get]: () => changed });

    const result = await scene.target.updateUser(userSid(1), change, undefined);

    expect(result).toMatchObject({ state: 'already', requestId: undefined });
    expect(scene.lines).toEqual([get]);
  });

  test('changes userName and primary e-mail together, and keeps the others', async () => {
    const emails = [
      { primary: false, value: 'private@home.example', type: 'home' },
      { primary: true, value: 'person1@corp.example', type: 'office' },
      { primary: false, value: 'NEW@corp.example', type: 'alias' },
    ];
    await using scene = await stage({ [get]: () => ({ json: scimUser(1, { emails }) }), [put]: () => changed });

    await scene.target.updateUser(userSid(1), { attributes: { userName: 'new@corp.example' } }, undefined);

    expect(JSON.parse(scene.server.requests.at(-1)?.body ?? '')).toMatchObject({
      userName: 'new@corp.example',
      emails: [
        { primary: false, value: 'private@home.example', type: 'home' },
        { primary: true, value: 'new@corp.example', type: 'office' },
      ],
    });
  });

  test('sets an externalId where Twilio has none, and takes it when Twilio ignores it', async () => {
    const without = scimUser(1, { externalId: null });
    await using scene = await stage({ [get]: () => ({ json: without }), [put]: () => ({ json: without }) });

    const result = await scene.target.updateUser(userSid(1), { attributes: {}, externalId }, undefined);

    expect(result).toMatchObject({ state: 'done', user: { externalId: undefined } });
    expect(JSON.parse(scene.server.requests.at(-1)?.body ?? '')).toMatchObject({ externalId: 'emp-1' });
    expect(scene.lines).toEqual([get, put]);
  });

  test('never changes an externalId that is there', async () => {
    const other = scimUser(1, { externalId: 'emp-9', displayName: 'Old' });
    await using scene = await stage({ [get]: () => ({ json: other }), [put]: () => changed });

    await scene.target.updateUser(userSid(1), { ...change, externalId }, undefined);

    expect(JSON.parse(scene.server.requests.at(-1)?.body ?? '')).toMatchObject({ externalId: 'emp-9' });
  });

  test('reactivates', async () => {
    const inactive = scimUser(1, { active: false });
    await using scene = await stage({ [get]: () => ({ json: inactive }), [put]: () => ({ json: scimUser(1) }) });

    const result = await scene.target.updateUser(userSid(1), { attributes: {}, active: true }, undefined);

    expect(result).toMatchObject({ state: 'done', user: { active: true } });
    expect(JSON.parse(scene.server.requests.at(-1)?.body ?? '')).toMatchObject({ active: true });
  });

  test('goes without a lock when Twilio sends no version, and leaves empty names out', async () => {
    const bare = { id: userSid(1), userName: 'person1@corp.example', name: { givenName: '', familyName: 'B' } };
    await using scene = await stage({ [get]: () => ({ json: bare }), [put]: () => changed });

    await scene.target.updateUser(userSid(1), change, undefined);

    const request = scene.server.requests.at(-1);
    expect(request?.headers['if-match']).toBeUndefined();
    expect(JSON.parse(request?.body ?? '')).toEqual({
      schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
      userName: 'person1@corp.example',
      displayName: 'New',
      name: { familyName: 'B' },
      emails: [{ primary: true, value: 'person1@corp.example', type: 'work' }],
    });
  });

  test('reads the user back when the answer is empty', async () => {
    await using scene = await stage({ [get]: inTurn({ json: scimUser(1) }, changed), [put]: () => ({}) });

    const result = await scene.target.updateUser(userSid(1), change, undefined);

    expect(result).toMatchObject({ state: 'done', user: { attributes: { displayName: 'New' } } });
    expect(scene.lines).toEqual([get, put, get]);
  });
});

describe('somebody else wrote in between', () => {
  test.each([
    ['25020', conflict],
    ['412', { status: 412 }],
    ['a bare 409', { status: 409 }],
  ])('%s leads to a new reading, on which the change is made again', async (_, reply) => {
    const moved = scimUser(1, { locale: 'pt-PT', meta: version(9) });
    await using scene = await stage({ [get]: () => ({ json: moved }), [put]: inTurn(reply, changed) });

    const result = await scene.target.updateUser(userSid(1), change, known);

    expect(result.state).toBe('done');
    expect(scene.lines).toEqual([put, get, put]);
    const request = scene.server.requests.at(-1);
    expect(request?.headers['if-match']).toBe('W/9');
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ locale: 'pt-PT', displayName: 'New' });
  });

  test('who made the same change leaves nothing to write', async () => {
    await using scene = await stage({ [get]: () => changed, [put]: () => conflict });

    const result = await scene.target.updateUser(userSid(1), change, known);

    expect(result.state).toBe('already');
    expect(scene.lines).toEqual([put, get]);
  });

  test('three times ends in a conflict', async () => {
    await using scene = await stage({ [get]: () => ({ json: scimUser(1) }), [put]: () => conflict });

    const error = await errorFrom(scene.target.updateUser(userSid(1), change, known));

    expect(error).toBeInstanceOf(TargetConflictError);
    expect(error).toMatchObject({ twilioCode: 25020, status: 409 });
    expect(scene.lines.filter((line) => line === put)).toHaveLength(3);
  });
});

describe('a lost answer to a replacement', () => {
  test('is compared with what is there, and not written again when it took effect', async () => {
    await using scene = await stage({ [get]: () => changed, [put]: () => ({ broken: 'before' }) });

    const result = await scene.target.updateUser(userSid(1), change, known);

    expect(result.state).toBe('already');
    expect(scene.lines).toEqual([put, get]);
  });

  test('is written again when it did not', async () => {
    await using scene = await stage({ [get]: () => ({ json: scimUser(1) }), [put]: inTurn({ status: 500 }, changed) });

    const result = await scene.target.updateUser(userSid(1), change, known);

    expect(result.state).toBe('done');
    expect(scene.lines).toEqual([put, get, put]);
  });

  test('took effect too when only the externalId is missing from a version that moved on', async () => {
    const without = JSON.stringify(scimUser(1, { externalId: null }));
    const after = scimUser(1, { externalId: null, displayName: 'New', meta: version(5) });
    await using scene = await stage({ [get]: () => ({ json: after }), [put]: () => ({ status: 502 }) });

    const result = await scene.target.updateUser(userSid(1), { ...change, externalId }, without);

    expect(result.state).toBe('already');
  });

  test('every time leaves it unknown', async () => {
    await using scene = await stage(
      { [get]: () => ({ json: scimUser(1) }), [put]: () => ({ status: 500 }) },
      { retry: { attempts: 2 } },
    );

    const error = await errorFrom(scene.target.updateUser(userSid(1), change, known));

    expect(error).toBeInstanceOf(TargetUnavailableError);
    expect(scene.lines.filter((line) => line === put)).toHaveLength(2);
  });
});

describe('refusals of a replacement', () => {
  test.each([25009, 25012, 25016, 25017, 25019])('code %i is about this user', async (code) => {
    await using scene = await stage({ [put]: () => refusal(400, code) });

    const error = await errorFrom(scene.target.updateUser(userSid(1), change, known));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: code });
  });

  test('an address that is taken is a conflict at once', async () => {
    await using scene = await stage({ [put]: () => refusal(409, 25022) });

    const error = await errorFrom(
      scene.target.updateUser(userSid(1), { attributes: { userName: 'x@corp.example' } }, known),
    );

    expect(error).toBeInstanceOf(TargetConflictError);
    expect(error).toMatchObject({ twilioCode: 25022 });
    expect(scene.lines).toEqual([put]);
  });

  test.each([
    ['when reading', { [get]: () => refusal(404, 25008) }, undefined],
    ['when writing', { [put]: () => refusal(404, 25008) }, known],
  ])('a user who is gone %s is named', async (_, routes, resource) => {
    await using scene = await stage(routes);

    const error = await errorFrom(scene.target.updateUser(userSid(1), change, resource));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(error).toMatchObject({ twilioCode: 25008, status: 404 });
    expect((error as Error).message).toContain(userSid(1));
  });
});

describe('deactivating', () => {
  const inactive = () => ({ json: scimUser(1, { active: false }) });

  test.each([200, 202, 204])('status %i is enough', async (status) => {
    await using scene = await stage({ [remove]: () => ({ status, headers: { 'twilio-request-id': 'RQ2' } }) });

    const result = await scene.target.deactivateUser(userSid(1));

    expect(result).toEqual({ state: 'done', requestId: 'RQ2' });
  });

  test.each([404, 400, 409])('status %i for somebody inactive means that it was done before', async (status) => {
    await using scene = await stage({ [remove]: () => ({ status }), [get]: inactive });

    const result = await scene.target.deactivateUser(userSid(1));

    expect(result.state).toBe('already');
    expect(scene.lines).toEqual([remove, get]);
  });

  test('somebody who is gone is inactive', async () => {
    await using scene = await stage({ [remove]: () => refusal(404, 25008), [get]: () => refusal(404, 25008) });

    expect(await scene.target.deactivateUser(userSid(1))).toMatchObject({ state: 'already' });
  });

  test('a lost answer is followed by a second try, for which 404 is success', async () => {
    const answers = inTurn({ broken: 'before' }, { status: 404 });
    await using scene = await stage({ [remove]: answers, [get]: inactive });

    expect(await scene.target.deactivateUser(userSid(1))).toMatchObject({ state: 'already' });
  });

  test('the organization owner is refused without a look', async () => {
    await using scene = await stage({ [remove]: () => refusal(400, 25016) });

    const error = await errorFrom(scene.target.deactivateUser(userSid(1)));

    expect(error).toBeInstanceOf(TargetRejectedError);
    expect(scene.lines).toEqual([remove]);
  });

  test('a state that allows no updates is fine for somebody inactive, and a refusal for others', async () => {
    await using off = await stage({ [remove]: () => refusal(400, 25009), [get]: inactive });
    await using on = await stage({ [remove]: () => refusal(400, 25009), [get]: () => ({ json: scimUser(1) }) });

    const result = await off.target.deactivateUser(userSid(1));
    const error = await errorFrom(on.target.deactivateUser(userSid(1)));

    expect(result.state).toBe('already');
    expect(error).toMatchObject({ twilioCode: 25009 });
  });

  test('a refusal for somebody who stays active is a refusal', async () => {
    await using scene = await stage({ [remove]: () => refusal(400, 20001), [get]: () => ({ json: scimUser(1) }) });

    const error = await errorFrom(scene.target.deactivateUser(userSid(1)));

    expect(error).toBeInstanceOf(TargetRejectedError);
  });

  test('404 for somebody who can be read and is active is out of contract', async () => {
    await using scene = await stage({ [remove]: () => ({ status: 404 }), [get]: () => ({ json: scimUser(1) }) });

    const error = await errorFrom(scene.target.deactivateUser(userSid(1)));

    expect(error).toBeInstanceOf(TargetContractError);
  });
});
