import { BerReader } from 'ldapts';
import { MalformedMessageError } from '../framing.ts';
import { encode, RawControl } from './raw-control.ts';

export const dirSync = '1.2.840.113556.1.4.841';

/** LDAP_DIRSYNC_INCREMENTAL_VALUES: of a large group only the members that changed, not all of them. A 32-bit integer with sign. */
const incrementalValues = -0x80000000;
/** The server's own limit. */
const bytesPerAnswer = 0;

/** An empty cookie asks for everything (MS-ADTS section 3.1.1.3.4.1.3). */
export function dirSyncControl(cookie: Buffer): RawControl {
  const value = encode((writer) => {
    writer.writeInt(incrementalValues);
    writer.writeInt(bytesPerAnswer);
    writer.writeBuffer(cookie, 0x04);
  });
  return new RawControl(dirSync, value);
}

export function readDirSync(value: Buffer): { readonly more: boolean; readonly cookie: Buffer } {
  try {
    const reader = new BerReader(value);
    reader.readSequence();
    const more = reader.readInt();
    reader.readInt();
    const cookie = reader.readString(0x04, true);
    if (more === null || cookie === null || cookie.length === 0) throw new Error('it has no cookie');
    return { more: more !== 0, cookie: Buffer.from(cookie) };
  } catch (error) {
    throw new MalformedMessageError(`a DirSync control cannot be read: ${(error as Error).message}`);
  }
}
