import type { CompleteRead, Demand, Entry } from '../../domain/entry.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { InternalError } from '../../errors.ts';
import type { DirectorySource, Logger } from '../../ports.ts';
import { openConnection } from './connection.ts';
import { deadlineError, ReadDeadlineError, startDeadline } from './deadline.ts';
import { accountRule } from './disabled.ts';
import { type OnEntry, readWithFailOver } from './fail-over.ts';
import { warnOfGlobalCatalog } from './global-catalog.ts';
import { readGroups } from './groups.ts';
import { checkOptions, distinctBases, type ServerAddress } from './options.ts';
import { createServers, type Outside } from './servers.ts';
import { readUsers } from './users.ts';

/**
 * A directory that speaks LDAPv3. Every read uses one connection of its own: groups first, then users, page by page; the next
 * server begins anew. An abort rejects with the signal's reason. Throws ConfigError, naming everything, when the options
 * cannot be used.
 */
export function createLdapSource(options: LdapOptions, logger: Logger, outside: Outside = {}): DirectorySource {
  const servers = createServers(checkOptions(options), options, outside);
  const bases = distinctBases(options.users.baseDn, options.users.scope);
  const description = `${options.urls.join(' or ')} ${bases.join(' and ')}`;

  async function readFrom(
    address: ServerAddress,
    demand: Demand,
    onEntry: OnEntry,
    signal: AbortSignal,
  ): Promise<CompleteRead> {
    const account = accountRule(options.users.disabled, timeOf(options, outside));
    warnOfGlobalCatalog(address, options, demand, logger);
    const connection = await openConnection(options, address, logger, signal);
    try {
      const groups = await readGroups(connection, options, demand, logger);
      const users = await readUsers(connection, options, demand, groups?.membership, account, onEntry, logger);
      await groups?.check(users);
      logger.debug({ source: connection.url, entries: users.entries }, 'the directory is read to its end');
      return { entries: users.entries, description: `${description} with filter ${options.users.filter}` };
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

  return { description, read };
}

/** One time for the whole read: nobody expires between two pages. */
function timeOf(options: LdapOptions, { now }: Outside): number {
  if (now !== undefined) return now();
  if (options.users.disabled !== 'userAccountControl') return 0;
  throw new InternalError('the LDAP source was made without a clock, which accounts that expire need');
}
