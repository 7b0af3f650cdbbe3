import { EqualityFilter } from 'ldapts';
import { compareStrings } from '../../domain/identity.ts';
import type { GroupOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder, listOf } from './entry-decoder.ts';
import { escapeFilterValue, parseFilter } from './filter.ts';
import { distinctBases } from './options.ts';
import { searchAll } from './paged-search.ts';

/** Two names of a group are equal when these are (RFC 4518: case and runs of spaces do not count). */
export function foldGroupName(name: string): string {
  return name.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim();
}

/** Says which groups rules name in vain, and for each what the rule may have meant. */
export async function missingGroups(
  connection: LdapConnection,
  options: GroupOptions,
  pageSize: number,
  missing: readonly string[],
): Promise<SourceIncompleteError> {
  const where = `below ${options.baseDn.map((base) => `"${base}"`).join(' or ')} with filter ${options.filter}`;
  const names = await groupNames(connection, options, pageSize);
  const descriptions: string[] = [];
  for (const name of missing.slice(0, 5)) {
    descriptions.push(await describeMissing(connection, options, pageSize, name, names));
  }
  const rest = missing.length > 5 ? `; and ${missing.length - 5} more: ${missing.slice(5, 25).join(', ')}` : '';
  return new SourceIncompleteError(
    `${connection.url}: no group ${where} for what rules name: ${descriptions.join('; ')}${rest}`,
    {
      hint: 'correct the name in the rules, or groups.baseDn, groups.filter and groups.name, or let the bind account see the group',
    },
  );
}

export function ambiguousGroups(
  url: string,
  ambiguous: readonly { readonly name: string; readonly dns: readonly string[] }[],
): SourceIncompleteError {
  const list = ambiguous.map(({ name, dns }) => `"${name}" is the name of ${dns.join(' and of ')}`).join('; ');
  return new SourceIncompleteError(`${url}: a rule names a group that exists more than once: ${list}`, {
    hint: 'write the DN of the group in the rule instead of its name, or narrow groups.baseDn or groups.filter',
  });
}

/** A group that a rule names shows no members, although it has some: everybody would seem to have left it. */
export function membersHidden(url: string, options: GroupOptions, dn: string, reason: string): SourceIncompleteError {
  const where = `reading groups below ${options.baseDn.map((base) => `"${base}"`).join(' or ')} with filter ${options.filter}`;
  return new SourceIncompleteError(`${url}: ${where} is incomplete: ${dn} shows no members, but ${reason}`, {
    hint: `let the bind account read ${options.membership.join(', ')} of the group, or check that groups.membership fits it`,
  });
}

async function describeMissing(
  connection: LdapConnection,
  options: GroupOptions,
  pageSize: number,
  name: string,
  existing: readonly string[],
): Promise<string> {
  const near = nearMatches(name, existing);
  if (near.length > 0) return `"${name}" (there is ${near.map((match) => `"${match}"`).join(', ')})`;
  const hidden = await hiddenByFilter(connection, options, pageSize, name);
  return hidden === undefined
    ? `"${name}"`
    : `"${name}" (${hidden} has that name, but groups.filter does not match it)`;
}

/** Names that look like a slip of the pen away, best first, at most three. */
export function nearMatches(name: string, existing: readonly string[]): readonly string[] {
  const wanted = foldGroupName(name);
  const tolerance = Math.max(1, Math.floor(wanted.length / 4));
  const scored = existing.flatMap((candidate) => {
    const folded = foldGroupName(candidate);
    const contained =
      wanted.length >= 3 && (folded.includes(wanted) || (folded.length >= 3 && wanted.includes(folded)));
    const distance =
      Math.abs(folded.length - wanted.length) > tolerance ? Number.POSITIVE_INFINITY : editDistance(wanted, folded);
    return distance <= tolerance || contained ? [{ candidate, distance: Math.min(distance, tolerance + 1) }] : [];
  });
  return scored
    .sort((a, b) => a.distance - b.distance || compareStrings(a.candidate, b.candidate))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, substituted));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** Every group's names. A help for a message only: what cannot be read is left out. */
async function groupNames(
  connection: LdapConnection,
  options: GroupOptions,
  pageSize: number,
): Promise<readonly string[]> {
  const decoder = createEntryDecoder([options.name]);
  const names: string[] = [];
  const filter = parseFilter(options.filter);
  try {
    for (const base of distinctBases(options.baseDn, options.scope)) {
      const search = { what: 'groups', base, scope: options.scope, filter, filterText: options.filter };
      await searchAll(connection, { ...search, attributes: [options.name], decoder, pageSize }, () => {
        names.push(...listOf(decoder.values[0]));
      });
    }
  } catch {
    return names;
  }
  return names;
}

/** The DN of an entry that has the name but is not matched by the filter for groups. */
async function hiddenByFilter(
  connection: LdapConnection,
  options: GroupOptions,
  pageSize: number,
  name: string,
): Promise<string | undefined> {
  const filter = new EqualityFilter({ attribute: options.name, value: name });
  const filterText = `(${options.name}=${escapeFilterValue(name)})`;
  let hidden: string | undefined;
  try {
    for (const base of distinctBases(options.baseDn, options.scope)) {
      const decoder = createEntryDecoder([]);
      const search = {
        what: 'groups',
        base,
        scope: options.scope,
        filter,
        filterText,
        attributes: ['1.1'],
        decoder,
        pageSize,
      };
      await searchAll(connection, search, (dn) => {
        hidden ??= dn;
      });
    }
  } catch {
    return undefined;
  }
  return hidden;
}
