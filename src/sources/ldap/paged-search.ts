/**
 * A search that either hands over everything it matches, or throws (RFC 2696, RFC 4511 section 4.5).
 *
 * | what the server does                            | what that means |
 * |-------------------------------------------------|-----------------|
 * | result 0, cookie                                | the next page is asked for, even when this one was empty |
 * | result 0, empty cookie                          | complete |
 * | result 0, no paging control on the first page   | the control was ignored: complete, unless exactly one page of entries came |
 * | result 0, no paging control on a later page     | incomplete |
 * | any other result                                | refused or incomplete, by code |
 * | a reference to another server                   | incomplete |
 * | a part of an attribute's values (`;range=`)     | the rest is asked for when the page has ended, then the entry is handed over |
 * | connection lost, time-out                       | incomplete, naming page and entries so far |
 * | pages that go round in a circle, or stay empty  | incomplete |
 *
 * Entries are handed over while they arrive, so memory holds one piece of the stream, and the server works on while they
 * are dealt with. Cookies are opaque; some servers send the same one with every page, so they tell nothing about progress.
 */

import { type Filter, PagedResultsControl, PresenceFilter, SearchRequest } from 'ldapts';
import type { SearchScope } from '../../domain/ldap-options.ts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder, type EntryDecoder, type KeptEntry, listOf } from './entry-decoder.ts';
import { ConversationLostError } from './exchange.ts';
import type { Frame } from './framing.ts';
import type { LdapResult } from './ldap-result.ts';
import { completeEntry } from './ranges.ts';
import { incompleteError, lostError, resultError, type SearchPosition } from './search-errors.ts';

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
}

/** Far more than servers send while they scan, far less than would run until morning. */
const mostEmptyPages = 1000;

/**
 * Calls `onEntry` with each entry's DN, its values being in the decoder, and resolves with the number of entries.
 * Throws SourceUnavailableError, SourceIncompleteError, the reason of an abort, and what `onEntry` throws.
 */
export async function searchAll(
  connection: LdapConnection,
  search: Search,
  onEntry: (dn: string) => void,
): Promise<number> {
  const { decoder } = search;
  let page = 1;
  let entries = 0;
  let firstDn: string | undefined;
  let emptyPages = 0;
  let cookie: Buffer = Buffer.alloc(0);
  const references: string[] = [];
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
      references.push(...urls);
    },
  };

  for (;;) {
    firstDn = undefined;
    const result = await request(connection, search, cookie, handlers, position);
    if (result.code !== 0) throw resultError(position(), result, await namingContexts(connection, result));
    if (references.length > 0) {
      throw incompleteError(
        position(),
        `a part of the tree is on another server: ${references.join(', ')}`,
        'choose bases and a url that do not lead to other servers (Active Directory: a base below the domain root, such as an OU)',
      );
    }
    for (const entry of partial.splice(0)) {
      decoder.restore(await completeEntry(connection, entry, position));
      onEntry(entry.dn);
    }
    if (search.scope === 'base') return entries;
    if (result.cookie === undefined) {
      if (page === 1 && entries !== search.pageSize) return entries;
      throw incompleteError(
        position(),
        'the server stopped paging without saying that this was the end',
        'the server does not follow RFC 2696: see its log, or use another server',
      );
    }
    if (result.cookie.length === 0) return entries;
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

async function request(
  connection: LdapConnection,
  search: Search,
  cookie: Buffer,
  handlers: { onEntry(frame: Frame): void; onReference(urls: readonly string[]): void },
  position: () => SearchPosition,
): Promise<LdapResult> {
  const paging = new PagedResultsControl({ critical: true, value: { size: search.pageSize, cookie } });
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
    if (error instanceof ConversationLostError) throw lostError(position(), error);
    throw error;
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
