import { AndFilter, EqualityFilter, type Filter, NotFilter, OrFilter } from 'ldapts';
import type { GroupOptions, SearchScope } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import { normalizeDn } from './dn.ts';
import { parseDn } from './dn-parser.ts';
import { createEntryDecoder, type EntryDecoder, listOf } from './entry-decoder.ts';
import { escapeFilterValue, parseFilter } from './filter.ts';
import type { LdapResult } from './ldap-result.ts';
import { searchAll } from './paged-search.ts';

/** Where to search. */
export interface Place {
  readonly base: string;
  readonly scope: SearchScope;
}

/** A filter with its text, for messages. */
export interface WrittenFilter {
  readonly filter: Filter;
  readonly text: string;
}

/** Valid until the next group is handed over. */
export interface FoundGroup {
  readonly dn: string;
  /** The canonical DN. */
  readonly key: string;
  readonly names: readonly string[];
  /** Values of an attribute that was asked for. */
  valuesOf(attribute: string): readonly string[];
}

export interface GroupSearch extends Place {
  /** For messages. */
  readonly what?: string;
  /** Which of the groups; all that `groups.filter` matches when left out. */
  readonly only?: WrittenFilter;
  /** Only that they exist. */
  readonly namesOnly?: boolean;
  /** Not a group by `groups.filter`, but by its class: the filter hides it. */
  readonly hidden?: boolean;
  /** Nothing says that there is such a base; it comes from a member's DN. */
  readonly mayBeMissing?: boolean;
}

export interface GroupReader {
  readonly url: string;
  /** Hands over each group that is found; resolves with their number. Throws SourceIncompleteError, SourceUnavailableError. */
  search(search: GroupSearch, onGroup: (group: FoundGroup) => void): Promise<number>;
}

/** Classes whose entries have members, in the directories that there are. */
const groupClasses: WrittenFilter = anyOf(
  ['group', 'groupOfNames', 'groupOfUniqueNames', 'groupOfMembers', 'posixGroup'].map((value) =>
    equals('objectClass', value),
  ),
);

/** `attributes` besides the name. */
export function createGroupReader(
  connection: LdapConnection,
  options: GroupOptions,
  pageSize: number,
  attributes: readonly string[],
): GroupReader {
  const wanted = [options.name, ...attributes];
  const decoder = createEntryDecoder(wanted);
  const nothing = createEntryDecoder([]);
  const groups: WrittenFilter = { filter: parseFilter(options.filter), text: options.filter };
  const hiddenGroups = allOf([
    groupClasses,
    { filter: new NotFilter({ filter: groups.filter }), text: `(!${groups.text})` },
  ]);
  const valuesOf = (attribute: string) => listOf(decoder.values[decoder.field(attribute)?.index ?? -1]);

  return {
    url: connection.url,
    async search({ base, scope, what = 'groups', only, namesOnly, hidden, mayBeMissing = false }, onGroup) {
      const among = hidden ? hiddenGroups : groups;
      const { filter, text } = only === undefined ? among : allOf([among, only]);
      const asked = namesOnly ? { attributes: ['1.1'], decoder: nothing } : { attributes: wanted, decoder };
      const search = { what, base, scope, filter, filterText: text, pageSize, ...asked };
      const acceptsRefusal = (result: LdapResult) => isNothing(connection, base, result);
      return searchAll(connection, { ...search, ...(mayBeMissing && { acceptsRefusal }) }, (dn) => {
        refuseUnreadable(connection.url, dn, attributes, decoder);
        onGroup({ dn, key: normalizeDn(dn) ?? dn, names: namesOnly ? [] : valuesOf(options.name), valuesOf });
      });
    },
  };
}

/** Members whose DN is no text are people all the same: without them the group would be another one. */
function refuseUnreadable(url: string, dn: string, attributes: readonly string[], decoder: EntryDecoder): void {
  if (decoder.unreadable.length === 0) return;
  const unreadable = attributes.find((attribute) =>
    decoder.unreadable.some((field) => field === decoder.field(attribute)),
  );
  if (unreadable === undefined) return;
  throw new SourceIncompleteError(`${url}: a value of ${unreadable} of ${dn} holds bytes that are no text`, {
    hint: 'correct the value in the directory: LDAP wants UTF-8 (RFC 4511 section 4.1.2)',
  });
}

/** noSuchObject: the member was deleted. referral: it belongs to a domain of another server. Throws SourceIncompleteError. */
function isNothing(connection: LdapConnection, base: string, { code, referrals }: LdapResult): boolean {
  if (code === 32) return true;
  if (code !== 10) return false;
  if (connection.referrals.policy === 'ignore') {
    connection.referrals.leaveOut(referrals);
    return true;
  }
  throw new SourceIncompleteError(
    `${connection.url}: groups have members below "${base}", which is on another server (${referrals.join(', ')}): these could be groups themselves`,
    {
      hint: 'set referrals to ignore when no group there matters to the rules, or to follow; of Active Directory, a global catalog (port 3268 or 3269) holds every domain',
    },
  );
}

export function equals(attribute: string, value: string): WrittenFilter {
  return { filter: new EqualityFilter({ attribute, value }), text: `(${attribute}=${escapeFilterValue(value)})` };
}

export function anyOf(filters: readonly WrittenFilter[]): WrittenFilter {
  return {
    filter: new OrFilter({ filters: filters.map(({ filter }) => filter) }),
    text: `(|${filters.map(({ text }) => text).join('')})`,
  };
}

export function allOf(filters: readonly WrittenFilter[]): WrittenFilter {
  return {
    filter: new AndFilter({ filters: filters.map(({ filter }) => filter) }),
    text: `(&${filters.map(({ text }) => text).join('')})`,
  };
}

/** Matches the entry with this DN among its neighbours, as its own attributes hold its relative name. Undefined when that is no text. */
export function hasRelativeName(dn: string): WrittenFilter | undefined {
  const pairs = parseDn(dn)?.[0] ?? [];
  const filters = pairs.flatMap(({ type, value }) =>
    typeof value === 'string' && value !== '' ? equals(type, value) : [],
  );
  if (filters.length === 0 || filters.length < pairs.length) return undefined;
  return filters.length === 1 ? filters[0] : allOf(filters);
}

export function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
