/**
 * Value ranges: a server that sends only some of an attribute's values says which, and is asked for the rest (MS-ADTS section
 * 3.1.1.3.1.3.3). Active Directory does so for groups of more than 1,500 members.
 *
 *   asked: member                 came: member;range=0-1499
 *   asked: member;range=1499-*    came: member;range=1499-2998
 *   asked: member;range=2998-*    came: member;range=2998-*       the end
 *
 * Each request begins with the last value that is known already. If that value comes back, nobody before it has come or gone
 * meanwhile; without this a member removed from the first part would push another one from the second into the first, where
 * nobody looks again.
 *
 * | what comes                                            | what that means |
 * |-------------------------------------------------------|-----------------|
 * | the range asked for, to a number or to `*`            | goes on, or complete |
 * | the attribute without a range, with values            | all of them: complete |
 * | another range, too few or too many values, a repetition | incomplete |
 * | another value in the place of the last one            | the entry changed meanwhile: incomplete |
 * | no entry, or the entry without the attribute          | gone or changed meanwhile: incomplete |
 */
import { PresenceFilter, SearchRequest } from 'ldapts';
import type { LdapConnection } from './connection.ts';
import { createEntryDecoder, type KeptEntry, listOf, type PartOfValues } from './entry-decoder.ts';
import { brokenOff, incompleteError, resultError, type SearchPosition } from './search-errors.ts';

/** Reads the values that are missing from an entry. Throws SourceIncompleteError naming the entry, and the reason of an abort. */
export async function completeEntry(
  connection: LdapConnection,
  entry: KeptEntry,
  position: () => SearchPosition,
): Promise<KeptEntry> {
  const values = [...entry.values];
  const unreadable = [...entry.unreadable];
  for (const part of entry.parts) {
    const complete = await readRest(connection, entry.dn, part, position);
    if (complete === 'unreadable') {
      if (part.field.binary === 0) part.field.binaryDn = entry.dn;
      part.field.binary += 1;
      unreadable.push(part.field);
    } else values[part.field.index] = complete;
  }
  return { ...entry, values, unreadable, parts: [] };
}

async function readRest(
  connection: LdapConnection,
  dn: string,
  begin: PartOfValues,
  position: () => SearchPosition,
): Promise<readonly string[] | 'unreadable'> {
  const { attribute } = begin;
  const doubt = (reason: string) => incompleteError(position(), `${dn}: ${reason}`, tryAgain);
  const values: string[] = [];
  let part: Part = begin;
  for (let asked = 0; ; ) {
    const fault = faultOf(part, asked, attribute, values);
    if (fault !== undefined) throw doubt(fault);
    for (let index = asked === 0 ? 0 : 1; index < part.values.length; index += 1) values.push(part.values[index] ?? '');
    if (part.last === undefined) break;
    asked = part.last;
    const answer = await askFor(connection, dn, attribute, asked, position);
    if (answer === undefined) throw doubt(`it went away, or lost ${attribute}, while its values were read`);
    if (answer === 'unreadable') return answer;
    if ('all' in answer) return answer.all;
    part = answer;
  }
  if (new Set(values).size !== values.length) throw doubt(`a value of ${attribute} came twice`);
  return values;
}

const tryAgain =
  'try again: the entry was probably changed during the read; if it happens at every run, the server mishandles value ranges';

type Part = Omit<PartOfValues, 'field'>;

/** What is wrong with a part that was asked for from `asked` on, the values up to there being known. */
function faultOf(part: Part, asked: number, attribute: string, known: readonly string[]): string | undefined {
  const { sent, first, last, values } = part;
  if (first !== asked) return `the server sends ${sent} where the values from ${asked} on are due`;
  if (values.length === 0) return `the server sends ${sent} without a value`;
  if (last !== undefined && values.length !== last - first + 1)
    return `the server sends ${sent} with ${values.length} values`;
  if (asked === 0) return undefined;
  if (last === asked) return `the server sends ${sent}, which brings nothing new`;
  if (values[0] === known.at(-1)) return undefined;
  return `value ${first} of ${attribute} is another one than before: values came or went during the read`;
}

/** Undefined when the entry is gone, or shows no value. `all`: the server sends every value at once. */
async function askFor(
  connection: LdapConnection,
  dn: string,
  attribute: string,
  from: number,
  position: () => SearchPosition,
): Promise<Part | { readonly all: readonly string[] } | 'unreadable' | undefined> {
  const asked = `${attribute};range=${from}-*`;
  const decoder = createEntryDecoder([attribute]);
  const message = new SearchRequest({
    messageId: connection.nextMessageId(),
    baseDN: dn,
    scope: 'base',
    filter: new PresenceFilter({ attribute: 'objectClass' }),
    attributes: [asked],
  });
  try {
    const result = await connection.request(message, { onEntry: (frame) => void decoder.decode(frame) });
    if (result.code !== 0 && result.code !== noSuchObject) {
      throw resultError({ ...position(), what: `${asked} of ${dn} for ${position().what}` }, result);
    }
  } catch (error) {
    throw brokenOff(position(), error);
  }
  if (decoder.unreadable.length > 0) return 'unreadable';
  const [part] = decoder.parts;
  const all = listOf(decoder.values[0]);
  return part ?? (all.length > 0 ? { all } : undefined);
}

const noSuchObject = 32;
