/**
 * Content synchronization in the mode refreshOnly (RFC 4533), as OpenLDAP's overlay syncprov offers it.
 *
 * | the server sends                       | taken as                                    |
 * |----------------------------------------|---------------------------------------------|
 * | an entry with state add, modify        | `moved`: it does not say what changed       |
 * | an entry with state delete, ids deleted | `deleted`                                  |
 * | an entry with state present, ids present | still there                               |
 * | Sync Done with refreshDeletes false, or an end of the present phase | all that is there was listed |
 * | result e-syncRefreshRequired, any other but success, anything unknown | doubt        |
 *
 * The search is over the whole naming context and every class of entry: nothing can be moved out of that, and a moved
 * container shows. What it asks for is not the content, so that the cookie does not depend on users.filter.
 */
import { PresenceFilter } from 'ldapts';
import type { LdapConnection } from '../connection.ts';
import { readControls } from '../ldap-result.ts';
import type { ChangeFeed, Changes, Doubt, Touch } from './change-feed.ts';
import { type FeedSearch, refusal, searchFeed, tolerant } from './feed-search.ts';
import { readSyncDone, readSyncInfo, readSyncState, syncDone, syncRequestControl, syncState } from './sync-messages.ts';

const hints: Readonly<Record<number, string>> = {
  4: 'lift the size limit for the bind account (OpenLDAP: `limits … size=unlimited`)',
  12: 'load the overlay syncprov for the database (OpenLDAP), or remove source.incremental',
  32: 'let the bind account search the naming context from its root',
  50: 'let the bind account search the naming context from its root',
};

export const syncreplFeed: ChangeFeed = {
  method: 'syncrepl',
  uuidAttribute: 'entryUUID',
  start,
  since,
};

/** A cookie stands for the state of the whole database, so the smallest search gets it. */
async function start(connection: LdapConnection, context: string): Promise<{ readonly cookie: Buffer } | Doubt> {
  let entries = 0;
  const references: string[] = [];
  const result = await searchFeed(connection, searchOf(context, 'base', undefined), {
    onEntry: () => {
      entries += 1;
    },
    onReference: (urls) => void references.push(...urls),
  });
  const refused = refusal(result, hints, references);
  if (refused !== undefined) return refused;
  if (entries !== 1) return { doubt: `the bind account does not see "${context}"`, hint: hints[32] ?? '' };
  const done = result.controls.get(syncDone);
  const cookie = done && readSyncDone(done).cookie;
  return cookie === undefined ? noDone : { cookie };
}

const noDone: Doubt = {
  doubt: 'the server answers without a cookie, so it does not synchronize content',
  hint: hints[12] ?? '',
};

async function since(connection: LdapConnection, context: string, cookie: Buffer): Promise<Changes | Doubt> {
  const touched = new Map<string, Touch>();
  const present = new Set<string>();
  const references: string[] = [];
  let listsPresent = false;
  let unknown = false;
  const handlers = tolerant({
    onEntry(frame) {
      const control = readControls(frame).get(syncState);
      if (control === undefined) {
        unknown = true;
        return;
      }
      const { state, uuid } = readSyncState(control);
      if (state === 'present') present.add(uuid);
      else touched.set(uuid, state === 'delete' ? 'deleted' : 'moved');
    },
    onIntermediate(frame) {
      const info = readSyncInfo(frame);
      if (info === undefined) unknown = true;
      else if (info.kind === 'refresh-present') listsPresent = true;
      else if (info.kind === 'ids') {
        for (const uuid of info.uuids) {
          if (info.deleted) touched.set(uuid, 'deleted');
          else present.add(uuid);
        }
      }
    },
    onReference: (urls) => void references.push(...urls),
  });
  const result = await searchFeed(connection, searchOf(context, 'sub', cookie), handlers);
  const refused = refusal(result, hints, references);
  if (refused !== undefined) return refused;
  const control = result.controls.get(syncDone);
  if (control === undefined) return noDone;
  if (unknown || handlers.malformed()) return { doubt: 'the server answered with a message that is not known' };
  const done = readSyncDone(control);
  return {
    cookie: done.cookie ?? cookie,
    touched,
    present: listsPresent || !done.refreshDeletes ? present : undefined,
  };
}

function searchOf(context: string, scope: 'base' | 'sub', cookie: Buffer | undefined): FeedSearch {
  const filter = new PresenceFilter({ attribute: 'objectClass' });
  return { context, scope, filter, attributes: ['1.1'], control: syncRequestControl(cookie) };
}
