import type { Demand } from '../../../domain/entry.ts';
import type { LdapOptions } from '../../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../../errors.ts';
import type { LdapConnection } from '../connection.ts';
import { beginFeed, feedOf } from './feeds.ts';

/** Whether the method works for this account, asked as a full read would ask. Throws SourceUnavailableError when it does not. */
export async function checkMethod(connection: LdapConnection, options: LdapOptions, demand: Demand): Promise<string> {
  const method = options.incremental?.method ?? 'syncrepl';
  const start = await beginFeed(connection, options, feedOf(method), demand);
  if ('doubt' in start) {
    throw new SourceUnavailableError(`${connection.url}: incremental reads by ${method} do not work: ${start.doubt}`, {
      hint: start.hint ?? 'remove source.incremental; until then every read is full',
    });
  }
  return `${connection.url}: the server reports changes below "${start.context}" (${method})`;
}
