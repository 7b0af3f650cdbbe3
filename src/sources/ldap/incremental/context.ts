import { PresenceFilter } from 'ldapts';
import type { Demand } from '../../../domain/entry.ts';
import type { LdapOptions } from '../../../domain/ldap-options.ts';
import type { LdapConnection } from '../connection.ts';
import { isWithin, normalizeDn } from '../dn.ts';
import { createEntryDecoder, listOf } from '../entry-decoder.ts';
import { searchAll } from '../paged-search.ts';
import type { Doubt } from './change-feed.ts';

/**
 * The naming context that holds every base, and every group that a rule names by its DN: changes are reported for one
 * context as a whole. A doubt when they are spread over several.
 */
export async function findContext(
  connection: LdapConnection,
  options: LdapOptions,
  demand: Demand,
): Promise<string | Doubt> {
  const decoder = createEntryDecoder(['namingContexts']);
  let contexts: readonly string[] = [];
  const rootDse = {
    what: 'the root DSE',
    base: '',
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    filterText: '(objectClass=*)',
    attributes: ['namingContexts'],
    decoder,
    pageSize: options.pageSize,
  } as const;
  await searchAll(connection, rootDse, () => {
    contexts = listOf(decoder.values[0]);
  });
  const context = smallestContext(contexts, placesOf(options, demand));
  return (
    context ?? {
      doubt: `no naming context of the server (${contexts.join(', ') || 'it shows none'}) holds all bases`,
      hint: 'choose bases in one naming context, and let the bind account read namingContexts of the root DSE',
    }
  );
}

export function smallestContext(contexts: readonly string[], places: readonly string[]): string | undefined {
  const keys = places.map((place) => normalizeDn(place) ?? place);
  return contexts
    .map((context) => ({ context, key: normalizeDn(context) }))
    .filter(({ key }) => key !== undefined && key !== '' && keys.every((place) => isWithin(place, key)))
    .sort((a, b) => (b.key?.length ?? 0) - (a.key?.length ?? 0))[0]?.context;
}

function placesOf({ users, groups }: LdapOptions, demand: Demand): readonly string[] {
  const named = demand.groups.filter((group) => group.includes('=') && normalizeDn(group) !== undefined);
  return [...users.baseDn, ...(groups !== undefined && usesGroups(demand) ? [...groups.baseDn, ...named] : [])];
}

export function usesGroups(demand: Demand): boolean {
  return demand.groups.length > 0 || demand.allGroups;
}
