/**
 * Active Directory's DirSync (MS-ADTS section 3.1.1.3.4.1.3). Without the flag LDAP_DIRSYNC_OBJECT_SECURITY the server either
 * refuses an account that lacks the right to replicate, or reports everything, deletions included; so silence means
 * that nothing happened. With the flag, or by uSNChanged, an account that may not see deleted objects is told nothing of
 * them, and told so by nothing. Samba hides them without the flag as well: so a report of some deleted object is asked for
 * before the method is relied upon. There always is one: their container counts as deleted.
 *
 * | the server sends an object with        | taken as  |
 * |----------------------------------------|-----------|
 * | isDeleted                              | `deleted` |
 * | its name, but not when it was created  | `moved`: renamed, or under another parent |
 * | anything else                          | `changed`, or new |
 *
 * No attribute is named, because an object is reported only when one of those that are named changed.
 */
import { EqualityFilter, type Filter, NotFilter, PresenceFilter } from 'ldapts';
import type { LdapConnection } from '../connection.ts';
import { createEntryDecoder } from '../entry-decoder.ts';
import type { LdapResult } from '../ldap-result.ts';
import type { ChangeFeed, Changes, Doubt, Touch } from './change-feed.ts';
import { dirSync, dirSyncControl, readDirSync } from './dirsync-control.ts';
import { refusal, searchFeed } from './feed-search.ts';

const rightNeeded =
  'give the bind account the right "Replicating Directory Changes" on the domain, or remove source.incremental';
const seeDeleted =
  'let the bind account list and read the container CN=Deleted Objects of the domain, or remove source.incremental';
const hints: Readonly<Record<number, string>> = {
  8: rightNeeded,
  12: 'the server does not know DirSync, or not our cookie: method dirsync is for domain controllers of Active Directory',
  50: rightNeeded,
  53: rightNeeded,
};

/** Far more than a domain needs. */
const mostAnswers = 10_000;
const anything = new PresenceFilter({ attribute: 'objectClass' });
const nothing = new NotFilter({ filter: anything });
const anyDeleted = new EqualityFilter({ attribute: 'isDeleted', value: 'TRUE' });

export const dirSyncFeed: ChangeFeed = {
  method: 'dirsync',
  uuidAttribute: 'objectGUID',
  start,
  since,
};

const everything = Buffer.alloc(0);

async function start(connection: LdapConnection, context: string): Promise<{ readonly cookie: Buffer } | Doubt> {
  let deleted = 0;
  const probe = await ask(connection, context, everything, { filter: anyDeleted, attributes: ['isDeleted'] }, () => {
    deleted += 1;
  });
  if ('doubt' in probe) return probe;
  if (deleted === 0) return { doubt: 'the server does not report deleted objects to this account', hint: seeDeleted };
  return ask(connection, context, everything, { filter: nothing, attributes: [] }, () => {});
}

async function since(connection: LdapConnection, context: string, cookie: Buffer): Promise<Changes | Doubt> {
  const touched = new Map<string, Touch>();
  let nameless = 0;
  const decoder = createEntryDecoder(['objectGUID', 'isDeleted', 'name', 'whenCreated']);
  const [guid, isDeleted, name, whenCreated] = decoder.fields.map(({ index }) => index);
  const valueAt = (index: number | undefined) => decoder.values[index ?? -1];
  const answer = await ask(connection, context, cookie, { filter: anything, attributes: [] }, (frame) => {
    decoder.decode(frame);
    const uuid = valueAt(guid);
    if (typeof uuid !== 'string') nameless += 1;
    else if (valueAt(isDeleted) === 'TRUE') touched.set(uuid, 'deleted');
    else if (valueAt(name) !== undefined && valueAt(whenCreated) === undefined) touched.set(uuid, 'moved');
    else if (!touched.has(uuid)) touched.set(uuid, 'changed');
  });
  if ('doubt' in answer) return answer;
  if (nameless > 0) return { doubt: `the server reported ${nameless} changed objects without their objectGUID` };
  return { cookie: answer.cookie, touched, present: undefined };
}

/** One answer may be a part: goes on until the server says that it was the last. */
async function ask(
  connection: LdapConnection,
  context: string,
  cookie: Buffer,
  what: { readonly filter: Filter; readonly attributes: readonly string[] },
  onEntry: NonNullable<Parameters<LdapConnection['request']>[1]>['onEntry'] & {},
): Promise<{ readonly cookie: Buffer } | Doubt> {
  let from = cookie;
  for (let answers = 0; answers < mostAnswers; answers += 1) {
    const search = { context, scope: 'sub', ...what, control: dirSyncControl(from) } as const;
    const result: LdapResult = await searchFeed(connection, search, {
      onEntry,
      // A domain's root always refers to the contexts beside it (configuration, DNS, domains below): no base stands there.
    });
    const refused = refusal(result, hints, []);
    if (refused !== undefined) return refused;
    const control = result.controls.get(dirSync);
    if (control === undefined) return { doubt: 'the server answers without a DirSync control', hint: hints[12] ?? '' };
    const answer = readDirSync(control);
    from = answer.cookie;
    if (!answer.more) return { cookie: from };
  }
  return { doubt: `the report of changes does not end after ${mostAnswers} answers` };
}
