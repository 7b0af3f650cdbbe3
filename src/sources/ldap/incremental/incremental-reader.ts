/**
 * Reads that ask the server only for what changed, and hand over everybody all the same: whom nothing is reported of comes
 * from the cache. Whatever is doubtful leads to a full read on the same connection, and its reason into the log.
 *
 * The cookie of a full read is asked for before it, so that what changes meanwhile is reported next time. Cookie and cache
 * move only by `confirm`, together, when the run that used the read was good.
 */
import type { LdapOptions } from '../../../domain/ldap-options.ts';
import type { Logger } from '../../../ports.ts';
import { readWhole, type WholeRead } from '../whole-read.ts';
import { readDigest, reasonForFullRead } from './cache-checks.ts';
import { readChanges } from './changed-read.ts';
import { beginFeed, feedOf } from './feeds.ts';
import { keepEverybody } from './keep-everybody.ts';
import type { IncrementalRead, Memory } from './memory.ts';

export interface IncrementalReader {
  /** Throws what ordinary searches throw. */
  read(request: WholeRead): Promise<IncrementalRead>;
  confirm(): void;
}

export function createIncrementalReader(
  settings: NonNullable<LdapOptions['incremental']>,
  memory: Memory,
  /** Milliseconds since the epoch. */
  now: () => number,
  logger: Logger,
): IncrementalReader {
  const { cache } = memory;
  const feed = feedOf(settings.method);
  let keep: (() => void) | undefined;

  async function readEverything(request: WholeRead, digest: string, reason: string): Promise<IncrementalRead> {
    const manner = { manner: 'full', reason } as const;
    if (!cache.writable) return { entries: await readWhole(request), manner };
    const { connection, options, demand } = request;
    const fullReadAt = now();
    const start = await beginFeed(connection, options, feed, demand);
    if ('doubt' in start) {
      warn(request, start.doubt, start.hint);
      return { entries: await readWhole(request), manner };
    }
    const refill = cache.refill();
    const kept = keepEverybody(feed.uuidAttribute, refill);
    const entries = await readWhole(request, kept.witness);
    if (kept.unnamed() > 0) {
      warn(request, `${kept.unnamed()} entries show no ${feed.uuidAttribute}`, 'let the bind account read it');
      return { entries, manner };
    }
    const state = { method: feed.method, digest, server: connection.url, ...start, fullReadAt, records: entries };
    keep = () => refill.finish(state);
    return { entries, manner };
  }

  function warn({ connection }: WholeRead, doubt: string, hint: string | undefined): void {
    logger.warn({ source: connection.url, ...(hint && { hint }) }, `the next read will be full as well: ${doubt}`);
  }

  return {
    async read(request) {
      keep = undefined;
      const { connection, options, demand } = request;
      const digest = readDigest(options, demand);
      const state = cache.state();
      const reason = reasonForFullRead(state, {
        method: settings.method,
        digest,
        server: connection.url,
        records: cache.count(),
        now: now(),
        fullReadEveryMs: settings.fullReadEveryMs,
      });
      const changes =
        state === undefined || reason !== undefined
          ? { doubt: reason ?? '' }
          : await readChanges(request, feed, state, memory);
      if ('doubt' in changes) {
        const { doubt, hint } = changes;
        logger.info({ source: connection.url, ...(hint && { hint }) }, `the source is read in full: ${doubt}`);
        return readEverything(request, digest, doubt);
      }
      keep = changes.keep;
      logger.info({ source: connection.url, ...changes.read.manner }, 'the source was asked for changes only');
      return changes.read;
    },
    confirm() {
      keep?.();
      keep = undefined;
    },
  };
}
