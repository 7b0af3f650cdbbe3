/** What a directory server lets this account do, for diagnosis: how many entries each search finds, and which limits apply. */
import { PresenceFilter, SearchRequest } from 'ldapts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import { type LdapConnection, openConnection } from './connection.ts';
import { createEntryDecoder, type EntryDecoder, listOf } from './entry-decoder.ts';
import { parseFilter } from './filter.ts';
import { checkOptions, distinctBases } from './options.ts';
import { searchAll } from './paged-search.ts';
import { formatResultCode } from './result-codes.ts';
import { createServers, type Outside } from './servers.ts';

export interface BaseCount {
  /** `users` or `groups`. */
  readonly what: string;
  readonly base: string;
  readonly filter: string;
  readonly entries: number;
}

export interface Examination {
  readonly url: string;
  /** `OpenLDAP`, `Microsoft` …, as far as the server says. */
  readonly product: string | undefined;
  /** Whether the server offers paged results (RFC 2696). */
  readonly pages: boolean;
  /** Whether it sends long lists of values in ranges (MS-ADTS section 3.1.1.3.1.3.3). */
  readonly ranges: boolean;
  readonly counts: readonly BaseCount[];
  /** What one search without pages gives this account: all of it, or so many entries and the server's answer. */
  readonly unpaged: { readonly entries: number; readonly answer: string | undefined };
  /** Entries that the server gives in one page at most; undefined when the configured page is small enough. */
  readonly pageSize: number | undefined;
  /** Limits that the server shows, as it calls them: `nsSizeLimit=5000`, `MaxPageSize=1000`. */
  readonly limits: readonly string[];
}

const pagedResults = '1.2.840.113556.1.4.319';
const activeDirectory = '1.2.840.113556.1.4.800';

/** Looks at the first server that answers. Throws SourceError, ConfigError and the signal's reason. */
export async function examine(
  options: LdapOptions,
  outside: Outside,
  logger: Logger,
  signal: AbortSignal,
): Promise<Examination> {
  const connection = await connectToAny(options, outside, logger, signal);
  try {
    return await look(connection, options);
  } finally {
    connection.close();
  }
}

async function connectToAny(
  options: LdapOptions,
  outside: Outside,
  logger: Logger,
  signal: AbortSignal,
): Promise<LdapConnection> {
  const failures: unknown[] = [];
  const servers = createServers(checkOptions(options), options, outside);
  for await (const address of servers.candidates(signal, (error) => failures.push(error))) {
    try {
      return await openConnection(options, address, logger, signal);
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      failures.push(error);
    }
  }
  throw failures[0];
}

async function look(connection: LdapConnection, options: LdapOptions): Promise<Examination> {
  const root = await readEntry(connection, '', [
    'supportedControl',
    'supportedCapabilities',
    'vendorName',
    'objectClass',
    'configurationNamingContext',
  ]);
  const isMicrosoft = root('supportedCapabilities').includes(activeDirectory);
  const counts: BaseCount[] = [];
  for (const [what, search] of [['users', options.users] as const, ['groups', options.groups] as const]) {
    if (search === undefined) continue;
    const { filter, scope } = search;
    for (const base of distinctBases(search.baseDn, scope)) {
      const entries = await searchAll(connection, countOf(what, base, filter, scope, options.pageSize), () => {});
      counts.push({ what, base, filter, entries });
    }
  }
  const { largest } = connection.paging;
  return {
    url: connection.url,
    product: root('vendorName')[0] ?? productOf(root('objectClass'), isMicrosoft),
    pages: root('supportedControl').includes(pagedResults),
    ranges: isMicrosoft,
    counts,
    unpaged: await searchWithoutPages(connection, options),
    pageSize: largest < options.pageSize ? largest : undefined,
    limits: [
      ...(await accountLimits(connection, options)),
      ...(await domainLimits(connection, root('configurationNamingContext')[0])),
    ],
  };
}

function productOf(classes: readonly string[], isMicrosoft: boolean): string | undefined {
  if (isMicrosoft) return 'Active Directory';
  return classes.some((each) => each.toLowerCase() === 'openldaprootdse') ? 'OpenLDAP' : undefined;
}

function countOf(
  what: string,
  base: string,
  filterText: string,
  scope: LdapOptions['users']['scope'],
  pageSize: number,
) {
  const decoder = createEntryDecoder([]);
  return { what, base, scope, filter: parseFilter(filterText), filterText, attributes: ['1.1'], decoder, pageSize };
}

/** How far a client comes that does not ask for pages: tells how close the account is to the server's size limit. */
async function searchWithoutPages(connection: LdapConnection, { users }: LdapOptions): Promise<Examination['unpaged']> {
  let entries = 0;
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: users.baseDn[0] ?? '',
    scope: users.scope,
    filter: parseFilter(users.filter),
    attributes: ['1.1'],
    sizeLimit: 0,
    timeLimit: 0,
  });
  const result = await connection.request(message, {
    onEntry() {
      entries += 1;
    },
  });
  return { entries, answer: result.code === 0 ? undefined : formatResultCode(result.code) };
}

const accountLimitNames = [
  'nsSizeLimit',
  'nsLookThroughLimit',
  'nsPagedSizeLimit',
  'nsPagedLookThroughLimit',
  'nsTimeLimit',
];

/** 389 Directory Server keeps limits of its own at the account (operational attributes). */
async function accountLimits(connection: LdapConnection, { bindDn }: LdapOptions): Promise<readonly string[]> {
  if (bindDn?.includes('=') !== true) return [];
  const account = await readEntry(connection, bindDn, accountLimitNames);
  return accountLimitNames.flatMap((name) => account(name).map((value) => `${name}=${value}`));
}

/** Active Directory keeps them in its query policy, which accounts may read. */
async function domainLimits(connection: LdapConnection, configuration: string | undefined): Promise<readonly string[]> {
  if (configuration === undefined) return [];
  const policy = `CN=Default Query Policy,CN=Query-Policies,CN=Directory Service,CN=Windows NT,CN=Services,${configuration}`;
  const limits = await readEntry(connection, policy, ['lDAPAdminLimits']);
  return limits('lDAPAdminLimits').filter((limit) =>
    /^Max(?:PageSize|ValRange|QueryDuration|ResultSetSize)=/i.test(limit),
  );
}

/** Values by attribute of one entry; nothing of an entry that is not there, or not for us to see. */
async function readEntry(
  connection: LdapConnection,
  dn: string,
  attributes: readonly string[],
): Promise<(name: string) => readonly string[]> {
  const decoder: EntryDecoder = createEntryDecoder(attributes);
  const found = new Map<string, readonly string[]>();
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: dn,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [...attributes],
  });
  await connection.request(message, {
    onEntry(frame) {
      decoder.decode(frame);
      for (const { name, index } of decoder.fields) found.set(name, listOf(decoder.values[index]));
    },
  });
  return (name) => found.get(name) ?? [];
}
