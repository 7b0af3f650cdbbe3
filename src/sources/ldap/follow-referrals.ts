/**
 * The parts of a search that are on other servers (RFC 4511 sections 4.1.10 and 4.5.3).
 *
 * | a reference                                   | what becomes of it |
 * |-----------------------------------------------|--------------------|
 * | leads to a search that has been made          | nothing: its entries have come, or are about to |
 * | names several URLs                            | each holds the same, so the first that can be read counts |
 * | cannot be read anywhere, breaks off           | incomplete |
 * | leads on, from server to server               | followed ten times at most, then incomplete |
 */
import type { SearchScope } from '../../domain/ldap-options.ts';
import { SourceError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import { normalizeDn } from './dn.ts';
import { parseFilter } from './filter.ts';
import type { Search } from './paged-search.ts';
import { parseReferral, serverKey } from './referrals.ts';
import { incompleteError, type SearchPosition } from './search-errors.ts';

export interface Reference {
  /** Alternatives: every one leads to the same entries. */
  readonly urls: readonly string[];
  /** Below the base; else the base itself is elsewhere, and with it all of the search. */
  readonly continued: boolean;
}

/** The searches of one read of one tree, so that none is made twice. */
export interface Trail {
  readonly made: Set<string>;
  readonly hops: number;
}

/** Runs a search at another server, with all that it refers to in turn. */
export type SearchOn = (
  connection: LdapConnection,
  search: Search,
  onEntry: (dn: string) => void,
  trail: Trail,
) => Promise<number>;

const mostHops = 10;

export function trailOf(connection: LdapConnection, search: Search): Trail {
  return { made: new Set([searchKey(serverKey(connection.address), search)]), hops: 0 };
}

/** Resolves with the number of entries found there. Throws SourceIncompleteError, the reason of an abort, what `onEntry` throws. */
export async function followReferences(
  connection: LdapConnection,
  search: Search,
  references: readonly Reference[],
  position: SearchPosition,
  onEntry: (dn: string) => void,
  trail: Trail,
  searchOn: SearchOn,
): Promise<number> {
  let entries = 0;
  for (const reference of references) {
    entries += await follow(connection, search, reference, position, onEntry, trail, searchOn);
  }
  return entries;
}

async function follow(
  connection: LdapConnection,
  search: Search,
  reference: Reference,
  position: SearchPosition,
  onEntry: (dn: string) => void,
  trail: Trail,
  searchOn: SearchOn,
): Promise<number> {
  const reasons: string[] = [];
  let hint: string | undefined;
  if (trail.hops >= mostHops) reasons.push(`${reference.urls.join(', ')}: more than ${mostHops} servers in a row`);
  for (const url of trail.hops >= mostHops ? [] : reference.urls) {
    const target = targetOf(url, search, reference.continued);
    if (target === undefined) {
      reasons.push(`${url} is not an LDAP URL that can be followed`);
      continue;
    }
    const key = searchKey(serverKey(target.address), target.search);
    if (trail.made.has(key)) return 0;
    let found = 0;
    try {
      const other = await connection.referrals.connect(target.address);
      trail.made.add(key);
      return await searchOn(
        other,
        target.search,
        (dn) => {
          found += 1;
          onEntry(dn);
        },
        { made: trail.made, hops: trail.hops + 1 },
      );
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      reasons.push(error.message);
      hint ??= error.hint;
      // Entries that came would come again from another server.
      if (found > 0) break;
      trail.made.delete(key);
    }
  }
  throw incompleteError(
    position,
    `a part of the tree is on another server, which cannot be read: ${reasons.join('; ')}`,
    hint ?? 'repair the referral, choose bases that do not lead there, or set referrals to ignore',
  );
}

function targetOf(url: string, search: Search, continued: boolean) {
  const referral = parseReferral(url);
  if (referral === undefined) return undefined;
  try {
    const filter =
      referral.filter === undefined ? {} : { filter: parseFilter(referral.filter), filterText: referral.filter };
    const scope = referral.scope ?? scopeBelow(search.scope, continued);
    return { address: referral.address, search: { ...search, base: referral.base ?? search.base, scope, ...filter } };
  } catch {
    return undefined;
  }
}

/** One level below a base whose child is elsewhere: that child alone (RFC 4511 section 4.5.3). */
function scopeBelow(scope: SearchScope, continued: boolean): SearchScope {
  return continued && scope === 'one' ? 'base' : scope;
}

function searchKey(server: string, { base, scope, filterText }: Search): string {
  return [server, normalizeDn(base) ?? base, scope, filterText].join('\n');
}
