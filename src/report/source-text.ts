import type { ReadManner } from '../domain/source-read.ts';
import { printable } from './palette.ts';

/** How the source was read, in one line. */
export function sourceText(manner: ReadManner): string {
  if (manner.manner === 'full') return `read in full: ${printable(manner.reason)}`;
  const { changed, gone, fullReadAt } = manner;
  const since = `everything was read last at ${new Date(fullReadAt).toISOString()}`;
  if (changed === 0 && gone === 0) return `asked for changes only: none; ${since}`;
  return `asked for changes only: ${changed} ${changed === 1 ? 'entry' : 'entries'} looked at again, ${gone} gone; ${since}`;
}
