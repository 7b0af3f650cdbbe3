import type { CompleteRead, Demand, Entry } from '../../domain/entry.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { InternalError } from '../../errors.ts';
import type { DirectorySource, Logger } from '../../ports.ts';
import { openConnection } from './connection.ts';
import { deadlineError, ReadDeadlineError, startDeadline } from './deadline.ts';
import { accountRule } from './disabled.ts';
import { type OnEntry, readWithFailOver } from './fail-over.ts';
import { warnOfGlobalCatalog } from './global-catalog.ts';
import { checkMethod } from './incremental/check-method.ts';
import { createIncrementalReader } from './incremental/incremental-reader.ts';
import { checkOptions, distinctBases, type ServerAddress } from './options.ts';
import { createServers, type Outside } from './servers.ts';
import { readWhole } from './whole-read.ts';

/**
 * A directory that speaks LDAPv3. Every read uses one connection of its own: groups first, then users, page by page; the next
 * server begins anew. With a memory, and where the options say so, it asks only for what changed since the last read that was
 * confirmed. An abort rejects with the signal's reason. Throws ConfigError, naming everything, when the options
 * cannot be used.
 */
export function createLdapSource(options: LdapOptions, logger: Logger, outside: Outside = {}): DirectorySource {
  const servers = createServers(checkOptions(options), options, outside);
  const bases = distinctBases(options.users.baseDn, options.users.scope);
  const { incremental: settings } = options;
  const { memory } = outside;
  const incremental =
    settings === undefined || memory === undefined
      ? undefined
      : createIncrementalReader(settings, memory, () => timeOf(outside), logger);
  const description = `${options.urls.join(' or ')} ${bases.join(' and ')}`;

  async function readFrom(
    address: ServerAddress,
    demand: Demand,
    onEntry: OnEntry,
    signal: AbortSignal,
  ): Promise<CompleteRead> {
    const account = accountRule(options.users.disabled, accountTime(options, outside));
    warnOfGlobalCatalog(address, options, demand, logger);
    const connection = await openConnection(options, address, logger, signal);
    try {
      const request = { connection, options, demand, account, onEntry, logger };
      const { entries, ...manner } =
        incremental === undefined ? { entries: await readWhole(request) } : await incremental.read(request);
      logger.debug({ source: connection.url, entries }, 'the directory is read to its end');
      return { entries, description: `${description} with filter ${options.users.filter}`, ...manner };
    } finally {
      connection.close();
    }
  }

  async function read(demand: Demand, onEntry: (entry: Entry) => void, signal: AbortSignal): Promise<CompleteRead> {
    signal.throwIfAborted();
    using deadline = startDeadline(options.timeouts.readMs, signal);
    const readOne = (address: ServerAddress, take: OnEntry) => readFrom(address, demand, take, deadline.signal);
    try {
      return await readWithFailOver(servers, readOne, onEntry, logger, deadline.signal);
    } catch (error) {
      // Within a search it is told with its place; here no server had been reached yet.
      throw error instanceof ReadDeadlineError ? deadlineError(`${description}: connecting`, error) : error;
    }
  }

  /** Asks the first server that can be reached. */
  async function check(demand: Demand, signal: AbortSignal): Promise<string> {
    const ask = async (address: ServerAddress): Promise<CompleteRead> => {
      const connection = await openConnection(options, address, logger, signal);
      try {
        return { entries: 0, description: await checkMethod(connection, options, demand) };
      } finally {
        connection.close();
      }
    };
    const { description } = await readWithFailOver(servers, ask, () => {}, logger, signal);
    return description;
  }

  return {
    description,
    read,
    ...(settings !== undefined && { incremental: { confirm: () => incremental?.confirm(), check } }),
  };
}

/** One time for the whole read: nobody expires between two pages. */
function accountTime(options: LdapOptions, outside: Outside): number {
  return options.users.disabled === 'userAccountControl' ? timeOf(outside) : 0;
}

function timeOf({ now }: Outside): number {
  if (now !== undefined) return now();
  throw new InternalError(
    'the LDAP source was made without a clock, which expiring accounts and incremental reads need',
  );
}
