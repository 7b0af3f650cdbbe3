import { AndFilter, type Filter } from 'ldapts';
import type { AttributeValue, Demand, Entry } from '../../domain/entry.ts';
import type { ExternalId } from '../../domain/identity.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import { checkAbsentAttributes, readingUsers, unexpectedNames } from './absent-attributes.ts';
import { baseHidden, baseIsThere } from './base-proof.ts';
import type { LdapConnection } from './connection.ts';
import { createDeletedObjects } from './deleted.ts';
import type { AccountRule } from './disabled.ts';
import { createEntryDecoder, type EntryDecoder } from './entry-decoder.ts';
import { parseFilter } from './filter.ts';
import { identitiesAreHidden } from './identity-proof.ts';
import type { Membership } from './membership.ts';
import { distinctBases } from './options.ts';
import { searchAll } from './paged-search.ts';
import { canonicalId, isGuidAttribute } from './values.ts';

export interface UsersRead {
  readonly entries: number;
  /** Entries with a value of an attribute that was asked for. */
  withAttribute(name: string): number;
}

/** Somebody who remembers users, or wants to: stands between the searches and what becomes of their entries. */
export interface UserSupply {
  /** What to ask for besides. */
  readonly attributes: readonly string[];
  /** Calls `onUser` with the DN of every user while the decoder holds its values; resolves with their number. */
  run(reading: UserReading, onUser: (dn: string) => void): Promise<number>;
  /** Whether anything was learnt of the server, so that what does not show must be looked into. */
  learnt(): boolean;
}

export interface UserReading {
  readonly decoder: EntryDecoder;
  /** The users of all bases, or those of them that a filter leaves; resolves with their number. */
  search(onUser: (dn: string) => void, only?: { readonly filter: Filter; readonly text: string }): Promise<number>;
  /** Looks whether every base is there for us to see; the read fails in the end when one is not. */
  proveBases(): Promise<void>;
}

const nobody: readonly string[] = [];

/**
 * Hands over every user below the bases. Asks for the demanded attributes, the identity, and what membership and the rule for disabled
 * accounts need; nothing else. Throws SourceIncompleteError also when nobody matches, when what every entry must have is missing
 * from many of them, or when what rules use is hidden.
 */
export async function readUsers(
  connection: LdapConnection,
  options: Pick<LdapOptions, 'users' | 'pageSize'>,
  demand: Demand,
  membership: Membership | undefined,
  account: AccountRule | undefined,
  onEntry: (entry: Entry) => void,
  logger: Logger,
  supply?: UserSupply,
): Promise<UsersRead> {
  const { users, pageSize } = options;
  const all = demand.attributes === 'all';
  const deciding = [membership?.userAttributes ?? [], account?.attributes ?? []].flat();
  const marks = account?.required === 'userAccountControl' || isGuidAttribute(users.id) ? ['isDeleted'] : [];
  const demanded = demand.attributes === 'all' ? [] : demand.attributes;
  const decoder = createEntryDecoder(
    [users.id, ...deciding, ...marks, ...(supply?.attributes ?? []), ...demanded],
    all,
  );
  const attributes = [...(all ? ['*'] : []), ...decoder.fields.map(({ name }) => name)];
  const publicFields = demand.attributes === 'all' ? undefined : demandedFields(decoder, demand.attributes);
  const idIndex = decoder.field(users.id)?.index ?? 0;
  const membershipFields = (membership?.userAttributes ?? []).map((name) => decoder.field(name)?.index ?? -1);
  const decidingIndexes = new Map(deciding.map((name) => [name, decoder.field(name)?.index ?? -1]));
  const valueNamed = (name: string) => decoder.values[decidingIndexes.get(name) ?? -1];
  const mustBeText = new Set([...deciding, ...demanded].map((name) => decoder.field(name)));
  const deletedObjects = createDeletedObjects(decoder);
  let deleted = 0;
  let unidentified = 0;
  let withoutStanding = 0;
  let firstUnidentified = '';
  let sample = '';

  function handOver(dn: string): void {
    if (deletedObjects.isDeleted(dn)) {
      deleted += 1;
      return;
    }
    const { values } = decoder;
    const idValue = values[idIndex];
    // Several values are no identity: which of them counts could change from read to read.
    const id = typeof idValue === 'string' ? canonicalId(users.id, idValue) : '';
    sample ||= dn;
    if (id === '') {
      if (unidentified === 0) firstUnidentified = dn;
      unidentified += 1;
    }
    const entryAttributes: Record<string, AttributeValue> = {};
    for (const { name, index } of publicFields ?? decoder.fields) {
      const value = values[index];
      if (value !== undefined) entryAttributes[name] = value;
    }
    const set = membership?.groupsOf(
      dn,
      membershipFields.map((index) => values[index]),
    );
    const groups = set?.names ?? nobody;
    const paths = set !== undefined && membership?.hasPaths && groups.length > 0 ? { groupPaths: set } : {};
    if (account?.required !== undefined && valueNamed(account.required) === undefined) withoutStanding += 1;
    const known = { id: id as ExternalId | '', attributes: entryAttributes, groups, location: dn };
    onEntry({ ...known, ...paths, ...standing() });
  }

  /** A clear sign that the account may not be used outweighs what cannot be read besides. */
  function standing(): Pick<Entry, 'disabled' | 'problem'> {
    const found = account?.standing(valueNamed) ?? 'usable';
    if (found === 'disabled') return { disabled: true };
    const unreadable = decoder.unreadable.find((field) => mustBeText.has(field));
    if (unreadable !== undefined) return { problem: `${unreadable.name} holds bytes that are no text` };
    return found === 'usable' ? {} : found;
  }

  const bases = distinctBases(users.baseDn, users.scope);
  const hiddenBases = new Set<string>();
  const prove = async (base: string) => {
    if (!(await baseIsThere(connection, 'users', base))) hiddenBases.add(base);
  };
  const reading: UserReading = {
    decoder,
    async search(onUser, only) {
      let entries = 0;
      const all = parseFilter(users.filter);
      for (const base of bases) {
        const search = {
          what: 'users',
          base,
          scope: users.scope,
          filter: only === undefined ? all : new AndFilter({ filters: [all, only.filter] }),
          filterText: only === undefined ? users.filter : `(&${users.filter}${only.text})`,
          attributes,
          decoder,
          pageSize,
        };
        const found = await searchAll(connection, search, onUser);
        if (found === 0 && only === undefined) {
          await prove(base);
          logger.warn({ base, filter: users.filter }, 'this base holds no user that the filter matches');
        }
        entries += found;
      }
      return entries;
    },
    async proveBases() {
      for (const base of bases) await prove(base);
    },
  };
  const handed = supply === undefined ? await reading.search(handOver) : await supply.run(reading, handOver);
  const entries = handed - deleted;
  if (deleted > 0) logger.warn({ count: deleted }, 'the server shows deleted objects, which are not taken for people');
  if (entries === 0) throw nobodyMatches(connection.url, users);
  if (hiddenBases.size > 0) throw baseHidden(connection.url, 'users', [...hiddenBases], users.filter);
  if (identitiesAreHidden(users.id, unidentified, entries)) {
    throw identityMissing(connection.url, users, decoder, unidentified, entries, firstUnidentified);
  }
  if (withoutStanding * 2 > entries) {
    throw standingMissing(connection.url, account?.required ?? '', withoutStanding, entries);
  }
  if (supply?.learnt() !== false) {
    await checkAbsentAttributes(connection, users, decoder, demand, sample);
    warnOfValues(decoder, publicFields, logger);
  }
  return { entries, withAttribute: (name) => decoder.field(name)?.seen ?? 0 };
}

interface DemandedField {
  readonly name: string;
  readonly index: number;
}

/** In the demand's spelling; two spellings of one attribute share its field. */
function demandedFields(decoder: EntryDecoder, names: readonly string[]): readonly DemandedField[] {
  return names.flatMap((name) => {
    const field = decoder.field(name);
    return field === undefined ? [] : [{ name, index: field.index }];
  });
}

function nobodyMatches(url: string, users: LdapOptions['users']): SourceIncompleteError {
  const bases = users.baseDn.map((base) => `"${base}"`).join(' and ');
  return new SourceIncompleteError(`${url}: base ${bases} and filter ${users.filter} match nobody`, {
    hint: 'check users.baseDn, users.filter and users.scope, and that the bind account may see the users; an empty directory is never taken for everybody having left',
  });
}

function identityMissing(
  url: string,
  users: LdapOptions['users'],
  decoder: EntryDecoder,
  missing: number,
  entries: number,
  first: string,
): SourceIncompleteError {
  const field = decoder.field(users.id);
  const binary =
    field !== undefined && field.binary > 0
      ? `; on ${field.binary} it holds bytes that are no text, first on ${field.binaryDn}`
      : '';
  return new SourceIncompleteError(
    `${readingUsers(url, users)} is incomplete: ${missing} of ${entries} entries have no single value of users.id (${users.id}), first ${first}${binary}`,
    {
      hint: `check the spelling of users.id, and that the bind account may read it${unexpectedNames(decoder)}`,
    },
  );
}

function standingMissing(url: string, attribute: string, missing: number, entries: number): SourceIncompleteError {
  return new SourceIncompleteError(
    `${url}: ${missing} of ${entries} entries do not show ${attribute}, which says whether an account is disabled`,
    {
      hint: `let the bind account read ${attribute}, or set users.disabled to none when these entries are no accounts`,
    },
  );
}

function warnOfValues(decoder: EntryDecoder, demanded: readonly DemandedField[] | undefined, logger: Logger): void {
  for (const { name, binary, binaryDn } of decoder.fields) {
    if (binary > 0)
      logger.warn({ attribute: name, entries: binary, first: binaryDn }, 'values that are not text were left out');
  }
  for (const { name, index } of demanded ?? []) {
    const field = decoder.fields[index];
    if (field === undefined || field.seen > 0 || field.binary > 0) continue;
    const hint = `check its spelling, and that the bind account may read it${unexpectedNames(decoder)}`;
    logger.warn({ attribute: name, hint }, 'no entry has an attribute that the rules use');
  }
}
