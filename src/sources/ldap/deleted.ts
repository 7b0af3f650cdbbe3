import type { EntryDecoder } from './entry-decoder.ts';

/**
 * Deleted objects of Active Directory (MS-ADTS section 3.1.1.5.5): kept for months, renamed to `CN=name\0ADEL:guid` and marked. They
 * are shown to those who ask for them, which a read never does; when one comes all the same, it is not a person.
 */
export function createDeletedObjects(decoder: EntryDecoder): { isDeleted(dn: string): boolean } {
  const mark = decoder.field('isDeleted')?.index ?? -1;
  return {
    isDeleted(dn) {
      const value = decoder.values[mark];
      return (typeof value === 'string' && value.trim().toUpperCase() === 'TRUE') || deletedName.test(dn);
    },
  };
}

/** A line feed and `DEL:` within the first RDN, the line feed escaped or not. */
const deletedName = /^[^,]*(?:\\0A|\n)DEL:[0-9a-f]{8}-/i;
