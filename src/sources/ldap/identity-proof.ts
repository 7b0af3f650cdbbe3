/** Attributes that the server itself gives to every entry, whatever anybody writes there. */
const givenByServer: ReadonlySet<string> = new Set(['entryuuid', 'nsuniqueid', 'objectguid']);

/**
 * Whether so many entries without an identity are a fault of the read and not of those entries. What the server gives to every
 * entry is missing because an access rule hides it, so a tenth, or ten, are too many, and one alone is not; what people enter
 * may be missing from up to half.
 */
export function identitiesAreHidden(attribute: string, missing: number, entries: number): boolean {
  if (missing === 0) return false;
  if (missing === entries) return true;
  return missing > (givenByServer.has(attribute.toLowerCase()) ? Math.max(1, Math.min(10, entries / 10)) : entries / 2);
}
