import { PresenceFilter } from 'ldapts';
import type { Demand } from '../../../domain/entry.ts';
import type { IncrementalMethod, LdapOptions } from '../../../domain/ldap-options.ts';
import { describeResult } from '../bind.ts';
import type { LdapConnection } from '../connection.ts';
import { createEntryDecoder } from '../entry-decoder.ts';
import { MalformedMessageError } from '../framing.ts';
import type { ChangeFeed, Doubt } from './change-feed.ts';
import { findContext, usesGroups } from './context.ts';
import { dirSyncFeed } from './dirsync.ts';
import { searchFeed } from './feed-search.ts';
import { syncreplFeed } from './syncrepl.ts';

const feeds: Readonly<Record<IncrementalMethod, ChangeFeed>> = { syncrepl: syncreplFeed, dirsync: dirSyncFeed };

export function feedOf(method: IncrementalMethod): ChangeFeed {
  return feeds[method];
}

/** Whence changes can be reported from now on, or why they cannot. */
export async function beginFeed(
  connection: LdapConnection,
  options: LdapOptions,
  feed: ChangeFeed,
  demand: Demand,
): Promise<{ readonly context: string; readonly cookie: Buffer } | Doubt> {
  const context = await findContext(connection, options, demand);
  if (typeof context !== 'string') return context;
  const start = await orDoubt(() => feed.start(connection, context));
  if ('doubt' in start) return start;
  const dynamic = usesGroups(demand) ? await findDynamicGroup(connection, context) : undefined;
  return dynamic ?? { context, cookie: start.cookie };
}

/** OpenLDAP's dynlist and autogroup: people enter and leave such a group by changes of their own. */
async function findDynamicGroup(connection: LdapConnection, context: string): Promise<Doubt | undefined> {
  const filter = new PresenceFilter({ attribute: 'memberURL' });
  const decoder = createEntryDecoder([]);
  let found: string | undefined;
  const result = await searchFeed(
    connection,
    { context, scope: 'sub', filter, attributes: ['1.1'] },
    {
      onEntry(frame) {
        found ??= decoder.decode(frame);
      },
    },
  );
  if (found !== undefined) {
    return {
      doubt: `${found} is a dynamic group (memberURL): its members change without a change of its own`,
      hint: 'remove source.incremental, or use groups that hold their members',
    };
  }
  if (result.code === 0) return undefined;
  return { doubt: `whether there are dynamic groups (memberURL) cannot be seen: ${describeResult(result)}` };
}

/** An answer that cannot be read is no reason to give up: an ordinary read does not depend on it. */
export async function orDoubt<Answer>(ask: () => Promise<Answer>): Promise<Answer | Doubt> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof MalformedMessageError) return { doubt: error.message };
    throw error;
  }
}
