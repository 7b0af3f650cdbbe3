/**
 * Attributes that each class of entries must have, by its names in lower case, from the definitions of a subschema entry (RFC 4512
 * section 4.1.1): `( 2.5.6.9 NAME 'groupOfNames' SUP top STRUCTURAL MUST ( member $ cn ) MAY … )`. What a class inherits is not followed.
 */
export function requiredAttributes(definitions: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const required = new Map<string, readonly string[]>();
  for (const definition of definitions) {
    // Descriptions are the only free text, and could hold anything.
    const text = definition.replace(/\bDESC\s+'[^']*'/gi, '');
    const names = /\bNAME\s+(?:'([^']*)'|\(([^)]*)\))/i.exec(text);
    const must = /\bMUST\s+(?:\(([^)]*)\)|([\w.;-]+))/i.exec(text);
    if (names === null) continue;
    const attributes = (must?.[1] ?? must?.[2] ?? '').split('$').map((name) => name.trim().toLowerCase());
    for (const name of (names[1] ?? names[2] ?? '').replaceAll("'", ' ').trim().split(/\s+/)) {
      required.set(
        name.toLowerCase(),
        attributes.filter((attribute) => attribute !== ''),
      );
    }
  }
  return required;
}
