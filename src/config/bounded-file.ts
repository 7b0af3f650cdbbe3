import { closeSync, openSync, readSync } from 'node:fs';

/** Its message completes a sentence that names the file. */
export class FileTooLargeError extends Error {
  readonly code = 'TOO_LARGE';

  constructor(largest: number) {
    super(`is larger than ${largest >= 1024 * 1024 ? `${largest / 1024 / 1024} MiB` : `${largest / 1024} KiB`}`);
  }
}

const firstRead = 64 * 1024;

/**
 * The bytes of a file, a pipe or a device, but never more than `largest`: what has no end must not fill the memory. Throws
 * FileTooLargeError, or what the system says.
 */
export function readBounded(file: string, largest: number): Buffer {
  const descriptor = openSync(file, 'r');
  try {
    let bytes = Buffer.allocUnsafe(Math.min(firstRead, largest + 1));
    for (let size = 0; ; ) {
      const read = readSync(descriptor, bytes, size, bytes.length - size, null);
      size += read;
      if (size > largest) throw new FileTooLargeError(largest);
      if (read === 0) return bytes.subarray(0, size);
      if (size === bytes.length) bytes = Buffer.concat([bytes], Math.min(2 * bytes.length, largest + 1));
    }
  } finally {
    closeSync(descriptor);
  }
}
