/** Reports of changes that no well-behaved server gives: each leads to a full read with its reason, or to no read at all. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { SourceIncompleteError, SourceUnavailableError } from '../../src/errors.ts';
import { type IncrementalSource, incrementalSource } from '../support/incremental.ts';
import { demandOf, failureOf, ldapOptions } from '../support/ldap-reading.ts';
import { type LdapServer, type Reply, startLdapServer } from '../support/ldap-server.ts';

const syncDone = '1.3.6.1.4.1.4203.1.9.1.3';
/** Cookie `c1`, deletions are reported. */
const done: Reply = { done: { controls: { [syncDone]: Buffer.from('300704026331 0101ff'.replace(' ', ''), 'hex') } } };
const people = ['anna', 'ben'].map((uid, index) => ({
  entry: `uid=${uid},ou=people,dc=example,dc=com`,
  attributes: { mail: [`${uid}@example.com`], entryUUID: [`00000000-0000-4000-8000-00000000000${index}`] },
}));

interface Scripted {
  readonly server: LdapServer;
  readonly source: IncrementalSource;
  /** What the next report of changes says. */
  report(...replies: readonly Reply[]): void;
  /** From now on nobody shows, nor the base itself. */
  hide(): void;
}

/** A server with two people, read once and confirmed. */
async function scripted(): Promise<Scripted> {
  let replies: readonly Reply[] = [done];
  let hidden = false;
  const server = await startLdapServer({
    search({ base, scope, filter }) {
      if (base === '') return [{ entry: '', attributes: { namingContexts: ['dc=example,dc=com'] } }, { done: {} }];
      if (base !== 'dc=example,dc=com')
        return hidden ? [{ done: { cookie: '' } }] : [...people, { done: { cookie: '' } }];
      if (scope !== 'base') return filter.includes('memberURL') ? [{ done: {} }] : replies;
      return [{ entry: base, attributes: {} }, done];
    },
  });
  onTestFinished(() => server.stop());
  const source = incrementalSource(ldapOptions(server.url), { demand: demandOf() });
  await source.readAndConfirm();
  return {
    server,
    source,
    report(...next) {
      replies = next;
    },
    hide() {
      hidden = true;
    },
  };
}

test('a report without changes hands over everybody from the cache', async () => {
  const { server, source } = await scripted();
  const before = server.searches.length;

  const { entries, manner } = await source.read();

  expect(manner).toMatchObject({ manner: 'incremental', changed: 0, gone: 0 });
  expect(entries.map(({ location }) => location)).toEqual(people.map(({ entry }) => entry));
  expect(server.searches.slice(before).map(({ base, scope }) => [base, scope])).toEqual([['dc=example,dc=com', 'sub']]);
});

describe('everything is read when the server', () => {
  test.each<[string, readonly Reply[], string]>([
    ['has forgotten the cookie', [{ done: { code: 4096 } }], 'e-syncRefreshRequired (4096)'],
    [
      'says that our state is newer',
      [{ done: { code: 53, message: 'consumer state is newer' } }],
      'consumer state is newer',
    ],
    ['has reached a limit', [{ done: { code: 4 } }], 'sizeLimitExceeded (4)'],
    ['ends without a word about synchronization', [{ done: {} }], 'without a cookie'],
    ['sends an entry without its state', [{ entry: 'uid=x,dc=example,dc=com', attributes: {} }, done], 'not known'],
    ['sends an unknown intermediate message', [{ intermediate: Buffer.from('8003312e32', 'hex') }, done], 'not known'],
    [
      'sends an intermediate message that cannot be read',
      [{ intermediate: Buffer.from('80ff31', 'hex') }, done],
      'not known',
    ],
    [
      'ends with a control that cannot be read',
      [{ done: { controls: { [syncDone]: Buffer.from('30', 'hex') } } }],
      'cannot be read',
    ],
    ['refers to another server', [{ reference: ['ldap://other/dc=x'] }, done], 'ldap://other/dc=x'],
    ['lists what is present, and nothing is', [{ done: { controls: { [syncDone]: Buffer.from('3000', 'hex') } } }], ''],
  ])('%s', async (_what, replies, reason) => {
    const { source, report } = await scripted();
    report(...replies);

    const seen = await source.readAndConfirm();
    report(done);
    const next = await source.read();

    expect(seen.entries.map(({ location }) => location)).toEqual(people.map(({ entry }) => entry));
    if (reason !== '') expect(seen.manner).toMatchObject({ manner: 'full', reason: expect.stringContaining(reason) });
    expect(next.manner).toMatchObject({ manner: 'incremental' });
  });

  test('has another name than before', async () => {
    const one = await scripted();
    const other = await scripted();
    const moved = incrementalSource(ldapOptions(other.server.url), { demand: demandOf(), cache: one.source.cache });

    const { manner } = await moved.read();

    expect(manner).toEqual({ manner: 'full', reason: `another server answers than before (${one.server.url})` });
  });
});

test.each<[string, readonly Reply[]]>([
  ['breaks off', ['reset']],
  ['ends in the middle', [{ entry: 'uid=x,dc=example,dc=com', attributes: {} }, 'end']],
])('a report that %s ends the read: the cookie stays', async (_what, replies) => {
  const { source, report } = await scripted();
  const before = source.cache.state();
  report(...replies);

  const failure = await failureOf(source.read());
  source.confirm();

  expect(failure).toBeInstanceOf(SourceUnavailableError);
  expect(failure.message).toContain('asking what changed below "dc=example,dc=com" failed');
  expect(source.cache.state()).toEqual(before);
});

test('whoever is reported is not gone when the base does not show any more', async () => {
  const { source, report, hide } = await scripted();
  const uuid = Buffer.from('00000000000040008000000000000001', 'hex');
  const name = Buffer.from('1.3.6.1.4.1.4203.1.9.1.4');
  const deleted = Buffer.concat([Buffer.from('a3170101ff31120410', 'hex'), uuid]);
  const info = Buffer.concat([Buffer.from([0x80, name.length]), name, Buffer.from([0x81, deleted.length]), deleted]);
  report({ intermediate: info }, done);
  hide();

  const failure = await failureOf(source.read());

  expect(failure).toBeInstanceOf(SourceIncompleteError);
  expect(failure.message).toContain('ou=people,dc=example,dc=com');
});

test('a read that nothing may be written of asks for no cookie', async () => {
  const { server } = await scripted();
  const before = server.searches.length;
  const dry = incrementalSource(ldapOptions(server.url), { demand: demandOf(), mode: 'read' });

  const { manner } = await dry.read();

  expect(manner).toEqual({ manner: 'full', reason: 'nothing is known of an earlier read' });
  expect(server.searches.slice(before).map(({ base }) => base)).toEqual(['ou=people,dc=example,dc=com']);
});
