import { describe, expect, test } from 'vitest';
import type { TwilioUser } from '../../src/domain/user.ts';
import { TargetContractError, TargetUnavailableError } from '../../src/errors.ts';
import { inTurn, type Respond, type ScriptedReply } from '../support/scripted-http.ts';
import { errorFrom, listOf, never, scimUser, stage, userSid } from '../support/twilio-scripts.ts';

const people = [1, 2, 3].map((number) => scimUser(number));

async function read(respond: Respond) {
  await using scene = await stage({ 'GET /scim/v2/Users': respond });
  const seen: { user: TwilioUser; resource: string | undefined }[] = [];
  const count = await scene.target.listUsers((user, resource) => seen.push({ user, resource }), never);
  return { count, seen, requests: scene.server.requests.slice(1) };
}

const sids = (seen: readonly { user: TwilioUser }[]) => seen.map(({ user }) => user.sid);

describe('a complete list', () => {
  test('is handed over user by user with the JSON of each, and asked for without paging', async () => {
    const { count, seen, requests } = await read(() => listOf(...people));

    expect(count).toBe(3);
    expect(sids(seen)).toEqual([userSid(1), userSid(2), userSid(3)]);
    expect(JSON.parse(seen[1]?.resource ?? '')).toEqual(people[1]);
    expect(requests.map(({ url }) => url)).toEqual(['/scim/v2/Users']);
  });

  test.each([
    ['an empty array', { totalResults: 0, Resources: [] }],
    ['no Resources at all', { totalResults: 0 }],
  ])('may be empty with %s', async (_, json) => {
    const { count } = await read(() => ({ json }));

    expect(count).toBe(0);
  });

  test('may say that its one page had room for more', async () => {
    const json = { totalResults: 3, startIndex: 1, itemsPerPage: 100, Resources: people };

    expect((await read(() => ({ json }))).count).toBe(3);
  });
});

describe('a list that is not provably complete', () => {
  const cut = JSON.stringify({ totalResults: 3, Resources: people }).slice(0, -40);

  test.each<[string, ScriptedReply, RegExp]>([
    ['is shorter than totalResults', { json: { totalResults: 5, Resources: people } }, /totalResults is 5 \(3 seen\)/],
    ['is longer than totalResults', { json: { totalResults: 2, Resources: people } }, /totalResults is 2 \(3 seen\)/],
    ['has no totalResults', { json: { Resources: people } }, /totalResults is missing/],
    ['has Resources missing', { json: { totalResults: 3 } }, /totalResults is 3 \(0 seen\)/],
    [
      'has startIndex',
      { json: { totalResults: 3, startIndex: 1, itemsPerPage: 3, Resources: people } },
      /one page of several/,
    ],
    [
      'links to a next page',
      { json: { totalResults: 3, Resources: people, meta: { next_page_url: 'x' } } },
      /links to a further page/,
    ],
    ['links on at the top', { json: { totalResults: 3, Resources: people, next: 'x' } }, /links to a further page/],
    [
      'has a user twice',
      { json: { totalResults: 4, Resources: [...people, people[0]] } },
      /US0*1 is in the list twice/,
    ],
    ['ends too early', { text: cut }, /ends in the middle of the list/],
    ['has a user without id', { json: { totalResults: 1, Resources: [{ userName: 'a' }] } }, /id is absent/],
    ['is a page of HTML', { text: '<html></html>' }, /incomplete/],
  ])('fails when it %s', async (_, reply, message) => {
    const error = await errorFrom(read(() => reply));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).toMatch(/list of users is incomplete.*absence cannot be inferred/);
  });
});

describe('a list without end', () => {
  function* forever(piece: string) {
    for (;;) yield piece;
  }

  test.each([
    ['blanks after it', '{"totalResults":1,"Resources":[]}', ' '.repeat(65_536), /more than 1 MiB outside/],
    ['blanks in it', '{"totalResults":1,"Resources":[', '\n'.repeat(65_536), /more than 1 MiB of blanks/],
    ['a user', '{"totalResults":1,"Resources":[{"id":"', 'x'.repeat(65_536), /one user is larger than 1 MiB/],
  ])('is given up: %s', async (_, start, piece, message) => {
    function* pieces() {
      yield start;
      yield* forever(piece);
    }

    const error = await errorFrom(read(() => ({ pieces: pieces() })));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toMatch(message);
  });
});

describe('a list that breaks off', () => {
  test('is asked for again, and nobody is handed over twice', async () => {
    const text = JSON.stringify({ totalResults: 3, Resources: people });
    const reply = inTurn({ status: 500 }, { text: text.slice(0, -200), broken: 'after' }, { text });

    const { count, seen, requests } = await read(reply);

    expect(count).toBe(3);
    expect(sids(seen)).toEqual([userSid(1), userSid(2), userSid(3)]);
    expect(requests).toHaveLength(3);
  });

  test('proves nothing when somebody is gone the second time', async () => {
    const text = JSON.stringify({ totalResults: 3, Resources: people });
    const reply = inTurn({ text: text.slice(0, -200), broken: 'after' }, listOf(people[1], people[2]));

    const error = await errorFrom(read(reply));

    expect(error).toBeInstanceOf(TargetContractError);
    expect((error as Error).message).toContain('1 users left the list while it was read a second time');
  });

  test('every time leaves Twilio unavailable', async () => {
    const error = await errorFrom(read(() => ({ text: '{"Resources":[', broken: 'after' })));

    expect(error).toBeInstanceOf(TargetUnavailableError);
  });
});

test('what the receiver throws ends the read as it is', async () => {
  await using scene = await stage({ 'GET /scim/v2/Users': () => listOf(...people) });
  const trouble = new Error('disk full');

  const error = await errorFrom(
    scene.target.listUsers(() => {
      throw trouble;
    }, never),
  );

  expect(error).toBe(trouble);
  expect(scene.lines).toHaveLength(1);
});

test('twenty thousand people arrive in pieces', async () => {
  function* pieces() {
    yield '{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":20000,"Resources":[';
    for (let i = 1; i <= 20_000; i++) yield (i === 1 ? '' : ',') + JSON.stringify(scimUser(i));
    yield ']}';
  }

  const { count, seen } = await read(() => ({ pieces: pieces() }));

  expect(count).toBe(20_000);
  expect(seen.at(-1)?.user.attributes.displayName).toBe('Person 20000');
});
