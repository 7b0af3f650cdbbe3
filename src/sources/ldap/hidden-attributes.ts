/**
 * An attribute that does not show: is it absent, or hidden from the bind account? A server that hides it says nothing (RFC 4511 section
 * 4.5.2 leaves access control to it), and whoever takes hidden for absent takes a group for empty. Four signs tell; without any of
 * them nobody can know.
 *
 * | sign                                                              | servers |
 * |-------------------------------------------------------------------|---------|
 * | a filter `(attribute=*)` matches an entry that does not show it     | those that tell searching from reading: all, where the rules are written so |
 * | the schema demands it of the entry's class                          | groupOfNames and groupOfUniqueNames (RFC 4519) in OpenLDAP; 389 and others relax them |
 * | the account's own rights on the entry lack reading                  | 389 Directory Server, FreeIPA (get effective rights) |
 */
import { AndFilter, Control, type ControlOptions, type Filter, OrFilter, PresenceFilter, SearchRequest } from 'ldapts';
import type { MembershipKind, SearchScope } from '../../domain/ldap-options.ts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder, listOf } from './entry-decoder.ts';
import type { Frame } from './framing.ts';
import { requiredAttributes } from './schema-definitions.ts';
import { brokenOff, resultError, type SearchPosition } from './search-errors.ts';

/** Asks for a subject's rights on each entry, in the pseudo attribute attributeLevelRights (draft-ietf-ldapext-acl-model). */
class EffectiveRightsControl extends Control {
  private readonly subject: string;

  constructor(dn: string, options: ControlOptions = {}) {
    super('1.3.6.1.4.1.42.2.27.9.5.2', options);
    this.subject = `dn: ${dn}`;
  }

  protected override writeControl(writer: Parameters<Control['write']>[0]): void {
    writer.writeString(this.subject);
  }
}

/** The server will answer at another time: operationsError, busy, unavailable. All other refusals concern the question. */
const noAnswer: ReadonlySet<number> = new Set([1, 51, 52]);

const longestQuestionSeconds = 5;

interface Found {
  /** By attribute, as asked for. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** Names of attributes that came instead: a server answers an alias of a name (`surname`) with the name itself (`sn`). */
  readonly others: ReadonlySet<string>;
}

interface Question {
  readonly base: string;
  readonly scope: SearchScope;
  readonly filter: Filter;
  readonly attributes: readonly string[];
  readonly controls?: Control[];
}

/** Tells whether groups that show no members hide them. It remembers the schema, so that a thousand groups ask for it once. */
export interface MemberCheck {
  /** Why the members of a group that shows none must be taken for hidden, a clause for a sentence; undefined when nothing says so. */
  whyHidden(dn: string): Promise<string | undefined>;
}

export function createMemberCheck(connection: LdapConnection, kinds: readonly MembershipKind[]): MemberCheck {
  let schema: Promise<ReadonlyMap<string, readonly string[]>> | undefined;

  return {
    async whyHidden(dn) {
      const anyKind = new OrFilter({ filters: kinds.map((attribute) => new PresenceFilter({ attribute })) });
      const matched = await ask(connection, { base: dn, scope: 'base', filter: anyKind, attributes: kinds });
      if (matched !== undefined && kinds.every((kind) => !matched.values.has(kind))) {
        return `the server finds ${kinds.join(' or ')} there, and does not show it`;
      }
      const group = await askRights(connection, dn, ['objectClass', ...kinds]);
      if (group === undefined || kinds.some((kind) => group.values.has(kind))) return undefined;
      if (kinds.every((kind) => mayNotRead(group, kind))) {
        return `the server says that ${connection.bindDn} may not read ${kinds.join(' or ')} there`;
      }
      const classes = (group.values.get('objectClass') ?? []).map((name) => name.toLowerCase());
      // Only these are demanded by a standard; reading the schema for others would cost more than it could tell.
      if (!classes.includes('groupofnames') && !classes.includes('groupofuniquenames')) return undefined;
      schema ??= readRequired(connection, dn);
      const required = await schema;
      const missing = kinds.find((kind) => classes.some((name) => required.get(name)?.includes(kind.toLowerCase())));
      return missing && `no group of its class can be without ${missing}, by the server's schema`;
    },
  };
}

/**
 * Why one of the attributes, which no entry below the base showed, must be taken for hidden, a clause for a sentence: the server finds
 * it there. Undefined when the server finds none of them.
 */
export async function whyAttributeHidden(
  connection: LdapConnection,
  base: string,
  scope: SearchScope,
  filter: Filter,
  attributes: readonly string[],
): Promise<string | undefined> {
  for (const attribute of attributes) {
    const present = new AndFilter({ filters: [filter, new PresenceFilter({ attribute })] });
    const found = await ask(connection, { base, scope, filter: present, attributes: [attribute] });
    // An entry that shows it got it since it was read.
    if (found === undefined || found.values.has(attribute)) continue;
    const [alias] = found.others;
    return alias === undefined
      ? `the server finds ${attribute} there, and does not show it to the bind account`
      : `the server calls ${attribute} by the name ${alias}`;
  }
  return undefined;
}

/** Why an attribute that an entry does not show must be taken for hidden, by the account's own rights; undefined when nothing says so. */
export async function whyUnreadable(
  connection: LdapConnection,
  dn: string,
  attribute: string,
): Promise<string | undefined> {
  const entry = await askRights(connection, dn, [attribute]);
  if (entry === undefined || entry.values.has(attribute) || !mayNotRead(entry, attribute)) return undefined;
  return `the server says that ${connection.bindDn} may not read ${attribute} of ${dn}`;
}

/** An entry, with what the account may do to these attributes of it where the server says so. */
async function askRights(
  connection: LdapConnection,
  dn: string,
  attributes: readonly string[],
): Promise<Found | undefined> {
  const { bindDn } = connection;
  return ask(connection, {
    base: dn,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [...attributes, 'attributeLevelRights'],
    ...(bindDn === undefined ? {} : { controls: [new EffectiveRightsControl(bindDn)] }),
  });
}

/** True only when the server says so. */
function mayNotRead({ values }: Found, attribute: string): boolean {
  const rights = parseRights(values.get('attributeLevelRights') ?? []).get(attribute.toLowerCase());
  return rights !== undefined && !rights.includes('r');
}

/**
 * The first entry that matches; undefined when there is none, or the server does not allow the question. Throws SourceError when there
 * is no answer: whoever does not know whether something is hidden has not read everything.
 */
async function ask(connection: LdapConnection, question: Question): Promise<Found | undefined> {
  const decoder = createEntryDecoder(question.attributes);
  let found: Found | undefined;
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: question.base,
    scope: question.scope,
    filter: question.filter,
    attributes: [...question.attributes],
    // One is enough to know, so the limit that this reaches is no fault.
    sizeLimit: 1,
    // The attribute may have no index; then the read itself has cost as much as this may.
    timeLimit: longestQuestionSeconds,
    ...(question.controls === undefined ? {} : { controls: question.controls }),
  });
  const position: SearchPosition = {
    url: connection.url,
    what: 'what may be hidden',
    base: question.base,
    filter: question.filter.toString(),
    page: 1,
    entries: 0,
  };
  function onEntry(frame: Frame): void {
    decoder.decode(frame);
    const shown = decoder.fields.filter(({ index }) => decoder.values[index] !== undefined);
    const values = new Map(shown.map(({ name, index }) => [name, listOf(decoder.values[index])]));
    for (const { field, values: some } of decoder.parts) values.set(field.name, some);
    found ??= { values, others: decoder.unexpected };
  }
  try {
    const result = await connection.request(message, { onEntry });
    if (noAnswer.has(result.code)) throw resultError(position, result);
  } catch (error) {
    throw brokenOff(position, error);
  }
  return found;
}

/** `member:rsc, cn:none` */
function parseRights(values: readonly string[]): ReadonlyMap<string, string> {
  const pairs = values.flatMap((value) => value.split(',')).map((pair) => pair.trim().toLowerCase().split(':'));
  return new Map(
    pairs.flatMap(([name = '', rights = '']) => (/^(?:none|[rscwo]+)$/.test(rights) ? [[name, rights]] : [])),
  );
}

/** What the server's schema demands, by class (RFC 4512 section 4.2), as it says itself at the entry. Empty when it does not say. */
async function readRequired(connection: LdapConnection, dn: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const objectClass = new PresenceFilter({ attribute: 'objectClass' });
  const at = async (base: string, filter: Filter, attribute: string) =>
    (await ask(connection, { base, scope: 'base', filter, attributes: [attribute] }))?.values.get(attribute) ?? [];
  const [subschema] = [
    ...(await at(dn, objectClass, 'subschemaSubentry')),
    ...(await at('', objectClass, 'subschemaSubentry')),
  ];
  if (subschema === undefined) return new Map();
  return requiredAttributes(await at(subschema, new PresenceFilter({ attribute: 'objectClasses' }), 'objectClasses'));
}
