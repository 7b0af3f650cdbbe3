import type { Demand } from '../../domain/entry.ts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { LdapConnection } from './connection.ts';
import type { EntryDecoder } from './entry-decoder.ts';
import { parseFilter } from './filter.ts';
import { whyAttributeHidden, whyUnreadable } from './hidden-attributes.ts';
import { distinctBases } from './options.ts';

/**
 * For attributes that not one entry shows. Without what addresses are made of, everybody would be a finding; what the server finds
 * but does not show would change who is in scope, or let disabled people pass. What is left may be absent from everybody.
 * `sample` is the DN of one of the entries. Throws SourceIncompleteError.
 */
export async function checkAbsentAttributes(
  connection: LdapConnection,
  users: LdapOptions['users'],
  decoder: EntryDecoder,
  demand: Demand,
  sample: string,
): Promise<void> {
  const isAbsent = (name: string) => {
    const field = decoder.field(name);
    return field !== undefined && field.seen === 0 && field.binary === 0;
  };
  const absent = demand.attributes === 'all' ? [] : demand.attributes.filter(isAbsent);
  const where = readingUsers(connection.url, users);
  const hint = `let the bind account read it, or correct its name in the rules${unexpectedNames(decoder)}`;
  const { address = [] } = demand;
  if (address.length > 0 && address.every((name) => absent.includes(name))) {
    const reason = `no entry shows ${address.join(' or ')}, of which addresses are made`;
    throw new SourceIncompleteError(`${where} is incomplete: ${reason}`, { hint });
  }
  // The rule for disabled accounts is called by its attribute, which nobody has where nobody is disabled.
  const unreadable = isAbsent(users.disabled) ? await whyUnreadable(connection, sample, users.disabled) : undefined;
  if (unreadable !== undefined) {
    throw new SourceIncompleteError(`${where} is incomplete: ${unreadable}, so that disabled people would pass`, {
      hint: `let the bind account read ${users.disabled}, or set users.disabled to none`,
    });
  }
  for (const base of absent.length === 0 ? [] : distinctBases(users.baseDn, users.scope)) {
    const reason = await whyAttributeHidden(connection, base, users.scope, parseFilter(users.filter), absent);
    if (reason !== undefined) throw new SourceIncompleteError(`${where} is incomplete: ${reason}`, { hint });
  }
}

export function readingUsers(url: string, users: LdapOptions['users']): string {
  const bases = distinctBases(users.baseDn, users.scope).map((base) => `"${base}"`);
  return `${url}: reading users below ${bases.join(' and ')} with filter ${users.filter}`;
}

/** A server answers an alias of a name (`surname`) with the name itself (`sn`). */
export function unexpectedNames(decoder: EntryDecoder): string {
  const names = [...decoder.unexpected].slice(0, 5);
  return names.length === 0 ? '' : `; the server answers with ${names.join(', ')}`;
}
