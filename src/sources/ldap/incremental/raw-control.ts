import { BerWriter, Control } from 'ldapts';

/** A critical request control whose value is already encoded: a server that does not know it must refuse the request. */
export class RawControl extends Control {
  readonly #value: Buffer;

  constructor(oid: string, value: Buffer) {
    super(oid, { critical: true });
    this.#value = value;
  }

  protected override writeControl(writer: BerWriter): void {
    writer.writeBuffer(this.#value, 0x04);
  }
}

export function encode(write: (writer: BerWriter) => void): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  write(writer);
  writer.endSequence();
  return Buffer.from(writer.buffer);
}
