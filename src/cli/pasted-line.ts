import type { Readable } from 'node:stream';
import { UsageError } from './usage-error.ts';

/** No address of a code is longer. */
const longest = 16 * 1024;

/** The first line that is not blank; a last one needs no line break. Throws UsageError without one, the signal's reason. */
export async function readPastedLine(input: Readable, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const stop = () => input.destroy(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  let text = '';
  try {
    for await (const chunk of input) {
      text = `${text}${String(chunk)}`.trimStart();
      const end = text.search(/[\r\n]/);
      if (end >= 0) return text.slice(0, end).trim();
      if (text.length > longest) throw new UsageError('authorize: what was pasted is longer than any address');
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (text.trim() !== '') return text.trim();
  throw new UsageError('authorize: stdin ended before an address was pasted', {
    hint: 'Run it on a terminal, or write the address to its stdin: the whole address, from https:// or http:// to its end.',
  });
}
