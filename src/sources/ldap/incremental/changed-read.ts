import type { SourceCacheState } from '../../../domain/source-cache.ts';
import { createGroupGraph } from '../group-graph.ts';
import type { GroupsRead } from '../groups.ts';
import { createMembership } from '../membership.ts';
import { readUsers, type UserReading } from '../users.ts';
import type { WholeRead } from '../whole-read.ts';
import type { ChangeFeed, Doubt } from './change-feed.ts';
import { collectChanges } from './collect-changes.ts';
import { usesGroups } from './context.ts';
import { orDoubt } from './feeds.ts';
import { createGroupMemory } from './group-memory.ts';
import { type HandedOver, handOver } from './hand-over.ts';
import type { IncrementalRead, Memory } from './memory.ts';

interface ChangedRead {
  readonly read: IncrementalRead;
  /** Moves cache and cookie. */
  keep(): void;
}

/** Ends a read before anybody was handed over. */
class DoubtError extends Error {
  readonly doubt: Doubt;

  constructor(doubt: Doubt) {
    super(doubt.doubt);
    this.doubt = doubt;
  }
}

/** Asks for changes, and hands over everybody; nobody when there is a doubt. */
export async function readChanges(
  request: WholeRead,
  feed: ChangeFeed,
  state: SourceCacheState,
  memory: Memory,
): Promise<ChangedRead | Doubt> {
  const { connection, options, demand, account, onEntry, logger } = request;
  const changes = await orDoubt(() => feed.since(connection, state.context, state.cookie));
  if ('doubt' in changes) return changes;
  const groups = usesGroups(demand) ? options.groups : undefined;
  const like = groups && createMembership(groups, createGroupGraph(), () => {});
  const groupMemory = createGroupMemory(like);
  const input = { ...request, feed, cache: memory.cache, state, membershipAttributes: like?.userAttributes ?? [] };
  let reread: GroupsRead | undefined;
  let changed = 0;
  let sought = 0;
  let handed: HandedOver = { entries: 0, put: [], remove: [], gone: 0, joined: 0 };
  const supply = {
    attributes: [feed.uuidAttribute],
    learnt: () => sought > 0,
    async run(reading: UserReading, onUser: (dn: string) => void): Promise<number> {
      const collected = await collectChanges(input, changes, reading);
      if ('doubt' in collected) throw new DoubtError(collected);
      reread = collected.groups;
      if (reread !== undefined) groupMemory.use(reread.membership);
      changed = collected.found.size;
      sought = collected.sought.size;
      handed = handOver(collected, reading, groupMemory, memory, onUser);
      return handed.entries;
    },
  };
  try {
    const users = await readUsers(
      connection,
      options,
      demand,
      groupMemory.membership,
      account,
      onEntry,
      logger,
      supply,
    );
    await reread?.check(users);
    const { put, remove, gone, joined } = handed;
    const next = { ...state, cookie: changes.cookie, records: state.records + joined - remove.length };
    return {
      read: { entries: users.entries, manner: { manner: 'incremental', changed, gone, fullReadAt: state.fullReadAt } },
      keep: () => memory.cache.update(put, remove, next),
    };
  } catch (error) {
    if (error instanceof DoubtError) return error.doubt;
    throw error;
  }
}
