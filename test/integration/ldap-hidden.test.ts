/** How the source tells hidden from absent, with a server that answers as no real one can be brought to. */
import { afterEach, describe, expect, test } from 'vitest';
import { SourceError, SourceIncompleteError } from '../../src/errors.ts';
import { createLdapSource } from '../../src/sources/ldap/ldap-source.ts';
import { createTestLogger, demandOf, failureOf, ldapOptions, readAll, secret } from '../support/ldap-reading.ts';
import { type LdapServer, type Reply, type SeenSearch, startLdapServer } from '../support/ldap-server.ts';

let server: LdapServer | undefined;

afterEach(async () => {
  await server?.stop();
  server = undefined;
});

const bindDn = 'cn=sync,dc=x';
const group = 'cn=devs,ou=groups,dc=x';
const done: Reply = { done: { cookie: '' } };
const found = (attributes: Readonly<Record<string, readonly string[]>>): readonly Reply[] => [
  { entry: group, attributes },
  done,
];

/** A directory with an empty group, and people without a title; `check` answers the questions that follow from that. */
async function readWith(check: (search: SeenSearch) => readonly Reply[], operationMs = 10_000) {
  server = await startLdapServer({
    question: check,
    search(search) {
      if (search.base.startsWith('ou=groups')) return found({ cn: ['devs'] });
      return [{ entry: 'uid=u1,ou=people,dc=x', attributes: { entryUUID: ['1'], mail: ['u1@x'] } }, done];
    },
  });
  const logger = createTestLogger();
  const options = ldapOptions(server.url, { bindDn, bindPassword: secret('x'), timeouts: { operationMs } });
  const demand = demandOf({ attributes: ['mail', 'title'], groups: ['devs'] });
  return { logger, read: readAll(createLdapSource(options, logger), demand) };
}

const asksForMembers = ({ attributes }: SeenSearch) => attributes.join() === 'member';
const asksForTitle = ({ attributes }: SeenSearch) => attributes.join() === 'title';

test('nothing is hidden: two warnings, and at most one entry asked for at a time', async () => {
  const { logger, read } = await readWith(() => [done]);

  expect(await read).toHaveLength(1);
  expect(logger.warnings()).toEqual([
    expect.stringContaining('show no members'),
    'no entry has an attribute that the rules use',
  ]);
  expect(server?.questions.map(({ base, attributes }) => [base, attributes])).toEqual([
    [group, ['member']],
    [group, ['objectclass', 'member', 'attributelevelrights']],
    ['ou=people,dc=example,dc=com', ['title']],
  ]);
});

test('a group that got its first member meanwhile, and a person a title, are not hidden', async () => {
  const { read } = await readWith((search) => {
    if (asksForMembers(search)) return found({ member: ['uid=u1,ou=people,dc=x'] });
    return asksForTitle(search) ? found({ title: ['Agent'] }) : [done];
  });

  expect(await read).toHaveLength(1);
});

test("the account's own rights tell, unless they allow reading", async () => {
  const rights = (value: string) => (search: SeenSearch) =>
    search.attributes.includes('attributelevelrights')
      ? found({ objectClass: ['groupOfNames'], attributeLevelRights: [value] })
      : [done];

  const denied = await failureOf((await readWith(rights('cn:rsc, member:sc'))).read);
  await server?.stop();
  const allowed = await (await readWith(rights('cn:rsc, member:rsc'))).read;

  expect(denied.message).toContain(`${group} shows no members, but the server says that ${bindDn} may not read member`);
  expect(allowed).toHaveLength(1);
});

describe.each([
  ['members', asksForMembers],
  ['an attribute', asksForTitle],
] as const)('while it is asked whether %s may be hidden', (_what, isTheQuestion) => {
  test.each<readonly [string, readonly Reply[], string]>([
    ['the end of the connection', ['end'], 'the server closed the connection'],
    ['a reset', ['reset'], 'the connection broke'],
    ['silence', ['silence'], 'the server did not finish its answer within 100 ms'],
    ['a notice', [{ notice: { code: 52, message: 'bye' } }, 'end'], 'after saying unavailable (52): bye'],
    ['busy', [{ done: { code: 51 } }], 'busy (51)'],
    ['unavailable', [{ done: { code: 52 } }], 'unavailable (52)'],
  ])('%s ends the read', async (_name, replies, says) => {
    const { read } = await readWith(
      (search) => (isTheQuestion(search) ? replies : [done]),
      replies[0] === 'silence' ? 100 : 10_000,
    );

    const error = await failureOf(read);

    expect(error).toBeInstanceOf(SourceError);
    expect(error.message).toContain(says);
    expect(error.message).toContain('reading what may be hidden below');
  });

  test.each([3, 4, 11, 12, 17, 50, 53])('result code %i leaves it open, with a warning', async (code) => {
    const { logger, read } = await readWith(() => [{ done: { code } }]);

    expect(await read).toHaveLength(1);
    expect(logger.warnings()).toHaveLength(2);
  });

  test('what the server finds and does not show ends the read', async () => {
    const { read } = await readWith((search) => (isTheQuestion(search) ? found({}) : [done]));

    expect(await failureOf(read)).toBeInstanceOf(SourceIncompleteError);
  });
});
