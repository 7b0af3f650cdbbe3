import { PresenceFilter } from 'ldapts';
import { SourceIncompleteError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder } from './entry-decoder.ts';
import { searchAll } from './paged-search.ts';

/**
 * Whether a base is there, for one below which nothing was found. 389 Directory Server (seen in 2.3) answers a paged search below a base
 * that does not exist with success and nothing, so that a unit that was renamed would look like one that everybody has left.
 * Throws SourceIncompleteError when the server says that it does not exist; false when it says nothing.
 */
export async function baseIsThere(connection: LdapConnection, what: string, base: string): Promise<boolean> {
  const found = await searchAll(
    connection,
    {
      what,
      base,
      scope: 'base',
      filter: new PresenceFilter({ attribute: 'objectClass' }),
      filterText: '(objectClass=*)',
      attributes: ['1.1'],
      decoder: createEntryDecoder([]),
      pageSize: 1,
    },
    () => {},
  );
  return found > 0;
}

export function baseHidden(url: string, what: string, bases: readonly string[], filter: string): SourceIncompleteError {
  const where = bases.map((base) => `"${base}"`).join(' and ');
  return new SourceIncompleteError(
    `${url}: reading ${what} below ${where} with filter ${filter} is incomplete: nothing is there, not even the base itself`,
    { hint: 'check the spelling of the base DN, and that the bind account may see it' },
  );
}
