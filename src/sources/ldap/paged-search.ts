/**
 * A search that either hands over everything it matches, or throws (RFC 2696, RFC 4511 section 4.5).
 *
 * | what the server does                            | what that means |
 * |-------------------------------------------------|-----------------|
 * | result 0, cookie                                | the next page is asked for, even when this one was empty |
 * | result 0, empty cookie                          | complete |
 * | result 0, no paging control on the first page   | the control was ignored: complete, unless exactly one page of entries came |
 * | result 0, no paging control on a later page     | incomplete |
 * | 4, 11 or 53 to the first page, no entry         | the page may be too large: half of it is asked for, down to one entry |
 * | any other result                                | refused or incomplete, by code |
 * | a reference to another server                   | incomplete, left out, or followed, as configured |
 * | result 10: the base itself is on another server | incomplete, or followed; never left out, since nobody would remain |
 * | a part of an attribute's values (`;range=`)     | the rest is asked for when the page has ended, then the entry is handed over |
 * | connection lost, time-out                       | incomplete, naming page and entries so far |
 * | pages that go round in a circle, or stay empty  | incomplete |
 *
 * Entries are handed over while they arrive, so memory holds one piece of the stream, and the server works on while they
 * are dealt with. Cookies are opaque; some servers send the same one with every page, so they tell nothing about progress.
 */

import { type Filter, PagedResultsControl, PresenceFilter, SearchRequest } from 'ldapts';
import type { SearchScope } from '../../domain/ldap-options.ts';
import type { SourceError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder, type EntryDecoder, type KeptEntry, listOf } from './entry-decoder.ts';
import { followReferences, type Reference, type Trail, trailOf } from './follow-referrals.ts';
import type { Frame } from './framing.ts';
import type { LdapResult } from './ldap-result.ts';
import { completeEntry } from './ranges.ts';
import { brokenOff, incompleteError, resultError, type SearchPosition } from './search-errors.ts';

export interface Search {
  /** `users` or `groups`, for messages. */
  readonly what: string;
  readonly base: string;
  readonly scope: SearchScope;
  readonly filter: Filter;
  /** As configured, for messages. */
  readonly filterText: string;
  readonly attributes: readonly string[];
  readonly decoder: EntryDecoder;
  readonly pageSize: number;
  /** Asked about another result than success to the first page; true when it only means that nothing is there. */
  readonly acceptsRefusal?: (result: LdapResult) => boolean;
}

/** Far more than servers send while they scan, far less than would run until morning. */
const mostEmptyPages = 1000;

/** What servers answer to a page larger than they give: OpenLDAP 11 (size.pr), others 4 or 53. */
const tooLarge: ReadonlySet<number> = new Set([4, 11, 53]);

/**
 * Calls `onEntry` with each entry's DN, its values being in the decoder, and resolves with the number of entries.
 * Throws SourceUnavailableError, SourceIncompleteError, the reason of an abort, and what `onEntry` throws.
 */
export function searchAll(connection: LdapConnection, search: Search, onEntry: (dn: string) => void): Promise<number> {
  return searchTree(connection, search, onEntry, trailOf(connection, search));
}

async function searchTree(
  connection: LdapConnection,
  search: Search,
  onEntry: (dn: string) => void,
  trail: Trail,
): Promise<number> {
  const references: Reference[] = [];
  const position = await searchHere(connection, search, onEntry, references);
  const found = await followReferences(connection, search, references, position, onEntry, trail, searchTree);
  return position.entries + found;
}

/** The part of a search that this server holds. References to follow are added to `follow`. */
async function searchHere(
  connection: LdapConnection,
  search: Search,
  onEntry: (dn: string) => void,
  follow: Reference[],
): Promise<SearchPosition> {
  const { decoder } = search;
  const { policy } = connection.referrals;
  let pageSize = Math.min(search.pageSize, connection.paging.largest);
  let refusal: LdapResult | undefined;
  let page = 1;
  let entries = 0;
  let firstDn: string | undefined;
  let emptyPages = 0;
  let cookie: Buffer = Buffer.alloc(0);
  const references: Reference[] = [];
  const firstDns = new Set<string>();
  /** Entries of this page whose values have not all come: a connection carries one search at a time. */
  const partial: KeptEntry[] = [];
  const position = (): SearchPosition => {
    return { url: connection.url, what: search.what, base: search.base, filter: search.filterText, page, entries };
  };
  const handlers = {
    onEntry(frame: Frame) {
      const dn = decoder.decode(frame);
      firstDn ??= dn;
      entries += 1;
      if (decoder.parts.length > 0) partial.push(decoder.keep(dn));
      else onEntry(dn);
    },
    onReference(urls: readonly string[]) {
      references.push({ urls, continued: true });
    },
  };

  for (;;) {
    firstDn = undefined;
    const result = await request(connection, search, pageSize, cookie, handlers, position);
    const isFirst = page === 1 && entries === 0;
    if (isFirst && tooLarge.has(result.code) && search.scope !== 'base' && pageSize > 1) {
      refusal ??= result;
      pageSize = Math.floor(pageSize / 2);
      continue;
    }
    if (isFirst && result.code === 10 && policy === 'follow' && result.referrals.length > 0) {
      follow.push({ urls: result.referrals, continued: false });
      return position();
    }
    if (isFirst && result.code !== 0 && search.acceptsRefusal?.(result)) return position();
    if (result.code !== 0) throw resultError(position(), refusal ?? result, await namingContexts(connection, result));
    if (refusal !== undefined && connection.paging.largest > pageSize) {
      connection.paging.largest = pageSize;
      const fields = { server: connection.url, configured: search.pageSize, found: pageSize, answer: refusal.code };
      connection.logger.info(fields, 'the server refuses pages of the configured size; smaller ones are asked for');
    }
    if (policy === 'refuse' && references.length > 0) throw elsewhereError(position(), references);
    if (policy === 'ignore') for (const { urls } of references.splice(0)) connection.referrals.leaveOut(urls);
    follow.push(...references.splice(0));
    for (const entry of partial.splice(0)) {
      decoder.restore(await completeEntry(connection, entry, position));
      onEntry(entry.dn);
    }
    if (search.scope === 'base') return position();
    if (result.cookie === undefined) {
      if (page === 1 && entries !== pageSize) return position();
      throw incompleteError(
        position(),
        'the server stopped paging without saying that this was the end',
        'the server does not follow RFC 2696: see its log, or use another server',
      );
    }
    if (result.cookie.length === 0) return position();
    emptyPages = firstDn === undefined ? emptyPages + 1 : 0;
    if (emptyPages > mostEmptyPages) {
      throw incompleteError(
        position(),
        `more than ${mostEmptyPages} empty pages in a row`,
        "index the filter's attributes on the server, or simplify the filter",
      );
    }
    if (firstDn !== undefined) {
      if (firstDns.has(firstDn)) {
        throw incompleteError(
          position(),
          `the pages go round in a circle: ${firstDn} begins a second one`,
          'try again; if it happens again, the server mishandles paging',
        );
      }
      firstDns.add(firstDn);
    }
    cookie = result.cookie;
    page += 1;
  }
}

function elsewhereError(position: SearchPosition, references: readonly Reference[]): SourceError {
  return incompleteError(
    position,
    `a part of the tree is on another server: ${references.flatMap(({ urls }) => urls).join(', ')}`,
    'choose bases and a url that do not lead to other servers (Active Directory: a base below the domain root, such as an OU), or set referrals to ignore or follow',
  );
}

async function request(
  connection: LdapConnection,
  search: Search,
  pageSize: number,
  cookie: Buffer,
  handlers: { onEntry(frame: Frame): void; onReference(urls: readonly string[]): void },
  position: () => SearchPosition,
): Promise<LdapResult> {
  const paging = new PagedResultsControl({ critical: true, value: { size: pageSize, cookie } });
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: search.base,
    scope: search.scope,
    filter: search.filter,
    attributes: [...search.attributes],
    // 0: the server's own limits only. A size limit of ours would turn a part into a success.
    sizeLimit: 0,
    timeLimit: 0,
    ...(search.scope === 'base' ? {} : { controls: [paging] }),
  });
  try {
    return await connection.request(message, handlers);
  } catch (error) {
    throw brokenOff(position(), error);
  }
}

/** What the server holds, when the base does not exist. A help for a message only, so it never fails. */
async function namingContexts(connection: LdapConnection, result: LdapResult): Promise<readonly string[]> {
  if (result.code !== 32 || result.matchedDn !== '') return [];
  const decoder = createEntryDecoder(['namingContexts']);
  let contexts: readonly string[] = [];
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: '',
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: ['namingContexts'],
  });
  try {
    await connection.request(message, {
      onEntry(frame) {
        decoder.decode(frame);
        contexts = listOf(decoder.values[0]);
      },
    });
  } catch {
    return [];
  }
  return contexts;
}
