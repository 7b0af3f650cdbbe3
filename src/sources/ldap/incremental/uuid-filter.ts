import { EqualityFilter, type Filter, OrFilter } from 'ldapts';
import { guidBytes, isGuidAttribute } from '../values.ts';

/** Keeps a filter well below what servers take. */
const uuidsPerSearch = 200;

export function* batchesOf(uuids: Iterable<string>): Generator<readonly string[]> {
  const all = [...uuids];
  for (let from = 0; from < all.length; from += uuidsPerSearch) yield all.slice(from, from + uuidsPerSearch);
}

/** Matches the entries with one of these UUIDs; `text` is for messages. */
export function anyOfUuids(
  attribute: string,
  uuids: readonly string[],
): { readonly filter: Filter; readonly text: string } {
  const value = (uuid: string) => (isGuidAttribute(attribute) ? guidBytes(uuid) : uuid);
  const filters = uuids.map((uuid) => new EqualityFilter({ attribute, value: value(uuid) }));
  return { filter: new OrFilter({ filters }), text: `(${attribute}=one of ${uuids.length})` };
}
