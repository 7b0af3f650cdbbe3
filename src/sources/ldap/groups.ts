import { AndFilter, EqualityFilter, type Filter, OrFilter } from 'ldapts';
import type { Demand } from '../../domain/entry.ts';
import type { GroupOptions, MembershipKind, SearchScope } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import { baseHidden, baseIsThere } from './base-proof.ts';
import type { LdapConnection } from './connection.ts';
import { normalizeDn } from './dn.ts';
import { createEntryDecoder, type EntryDecoder, listOf } from './entry-decoder.ts';
import { escapeFilterValue, parseFilter } from './filter.ts';
import { ambiguousGroups, membersHidden, missingGroups } from './group-diagnosis.ts';
import { createMemberCheck } from './hidden-attributes.ts';
import { createMembership, type Membership } from './membership.ts';
import { distinctBases } from './options.ts';
import { searchAll } from './paged-search.ts';
import { createWantedGroups } from './wanted-groups.ts';

/** Keeps a filter well below what servers and their logs take. */
const namesPerSearch = 50;

/**
 * Reads the groups that rules name, each of which must exist exactly once, and every other group when all are wanted.
 * Undefined when no rule looks at groups. Throws SourceIncompleteError, SourceUnavailableError.
 */
export async function readGroups(
  connection: LdapConnection,
  options: GroupOptions | undefined,
  demand: Demand,
  pageSize: number,
  logger: Logger,
): Promise<Membership | undefined> {
  if (demand.groups.length === 0 && !demand.allGroups) return undefined;
  if (options === undefined) {
    throw new SourceIncompleteError(`${connection.url}: rules look at groups, but source.groups is not configured`, {
      hint: 'set source.groups.baseDn and filter to where the groups are',
    });
  }
  const membership = createMembership(options.membership, options.uid);
  const wanted = createWantedGroups(demand);
  const kinds = options.membership.filter((kind) => kind !== 'memberOf');
  const attributes = [options.name, ...kinds];
  const decoder = createEntryDecoder(attributes);
  const groupFilter = parseFilter(options.filter);
  let withoutMembers: string[] = [];

  function onGroup(dn: string): void {
    refuseUnreadableMembers(connection.url, dn, decoder, kinds);
    const key = normalizeDn(dn) ?? dn;
    if (wanted.hasSeen(key)) return;
    const labels = wanted.take(dn, key, listOf(decoder.values[0]));
    if (labels.length === 0) return;
    const valuesOf = (kind: MembershipKind) => listOf(decoder.values[decoder.field(kind)?.index ?? -1]);
    if (kinds.length > 0 && kinds.every((kind) => valuesOf(kind).length === 0)) withoutMembers.push(dn);
    membership.addGroup(key, labels, valuesOf);
  }
  async function search(
    base: string,
    scope: SearchScope,
    filter: Filter,
    filterText: string,
    what = 'groups',
  ): Promise<number> {
    return searchAll(connection, { what, base, scope, filter, filterText, attributes, decoder, pageSize }, onGroup);
  }

  for (const base of distinctBases(options.baseDn, options.scope)) {
    let found = 0;
    if (demand.allGroups) found = await search(base, options.scope, groupFilter, options.filter);
    else {
      for (const names of chunks(wanted.names, namesPerSearch)) {
        const { filter, text } = namedGroupsFilter(options, groupFilter, names);
        found += await search(base, options.scope, filter, text);
      }
    }
    if (found === 0 && !(await baseIsThere(connection, 'groups', base))) {
      throw baseHidden(connection.url, 'groups', [base], options.filter);
    }
  }
  for (const { spelling, key } of wanted.dns) {
    if (!wanted.hasSeen(key))
      await search(spelling, 'base', groupFilter, options.filter, 'the group that a rule names');
  }

  const missing = wanted.missing();
  if (missing.length > 0) throw await missingGroups(connection, options, pageSize, missing);
  const ambiguous = wanted.ambiguous();
  if (ambiguous.length > 0) throw ambiguousGroups(connection.url, ambiguous);
  if (demand.allGroups) withoutMembers = withoutMembers.filter((dn) => wanted.isNamed(dn));
  const check = createMemberCheck(connection, kinds);
  for (const dn of withoutMembers) {
    const reason = await check.whyHidden(dn);
    if (reason !== undefined) throw membersHidden(connection.url, options, dn, reason);
  }
  if (withoutMembers.length > 0) {
    logger.warn(
      { groups: withoutMembers.slice(0, 10), count: withoutMembers.length, attribute: options.membership },
      'groups that rules name show no members: they are empty, or the bind account may not read the attribute',
    );
  }
  if (membership.unreadable() > 0) {
    logger.warn(
      { count: membership.unreadable(), attribute: options.membership },
      'group members that are not DNs were left out',
    );
  }
  return membership;
}

/** Members whose DN is no text are people all the same: without them the group would be another one. */
function refuseUnreadableMembers(
  url: string,
  dn: string,
  decoder: EntryDecoder,
  kinds: readonly MembershipKind[],
): void {
  const unreadable = kinds.find((kind) => decoder.unreadable.some((field) => field === decoder.field(kind)));
  if (unreadable === undefined) return;
  throw new SourceIncompleteError(`${url}: a value of ${unreadable} of ${dn} holds bytes that are no text`, {
    hint: 'correct the value in the directory: LDAP wants UTF-8 (RFC 4511 section 4.1.2)',
  });
}

function namedGroupsFilter(
  options: GroupOptions,
  groupFilter: Filter,
  names: readonly string[],
): { filter: Filter; text: string } {
  const equal = names.map((value) => new EqualityFilter({ attribute: options.name, value }));
  const text = names.map((name) => `(${options.name}=${escapeFilterValue(name)})`).join('');
  return {
    filter: new AndFilter({ filters: [groupFilter, new OrFilter({ filters: equal })] }),
    text: `(&${options.filter}(|${text}))`,
  };
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
