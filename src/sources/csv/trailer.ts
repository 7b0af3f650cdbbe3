import { startOfLastRecord } from './blocks.ts';
import { withoutExcelText } from './excel.ts';
import { quoted } from './header.ts';

/** The row by which a producer says that the file came to its end: a word, and how many rows of data it wrote. */
export interface TrailerOptions {
  /** The first field, exactly. */
  readonly match: string;
  /** Where the count stands: 1 is the first field. */
  readonly field: number;
}

/** Lets records pass, but keeps back the last one that is not blank, with the blank lines that follow it. */
export interface LastRecord {
  /** What is known not to be the last. Valid until `block` is. */
  push(block: Buffer): readonly Buffer[];
  readonly held: Buffer;
}

const MAX_HELD_BYTES = 1024 * 1024;

export function createLastRecord(): LastRecord {
  let held: Buffer = Buffer.alloc(0);
  return {
    get held() {
      return held;
    },
    push(block) {
      const start = startOfLastRecord(block);
      if (start === undefined && held.length + block.length <= MAX_HELD_BYTES) {
        held = Buffer.concat([held, block]);
        return [];
      }
      // Blank lines without end are handed on: no trailer is to be expected behind them.
      const passed = [held, block.subarray(0, start ?? 0)].filter(({ length }) => length > 0);
      held = Buffer.from(block.subarray(start ?? 0));
      return passed;
    },
  };
}

/** What is wrong with the last record of a file, of which `rows` rows of data were read; undefined when nothing is. */
export function trailerProblem(
  fields: readonly string[],
  { match, field }: TrailerOptions,
  rows: number,
): { readonly reason: string; readonly hint: string } | undefined {
  if (fields[0]?.trim() !== match) {
    return {
      reason: `the last row is no trailer: it does not begin with ${quoted(match)}`,
      hint: 'the file was cut off, or its export did not come to an end; source.trailer says how every file must end',
    };
  }
  const count = withoutExcelText(fields[field - 1]?.trim() ?? '');
  if (!/^\d{1,15}$/.test(count)) {
    return { reason: `field ${field} of the trailer is no number of rows`, hint: 'is source.trailer.field right?' };
  }
  if (Number(count) === rows) return undefined;
  return {
    reason: `the trailer counts ${Number(count)} rows, where the file has ${rows}`,
    hint: 'rows were lost, or the export counts in another way: header and trailer are no rows of data',
  };
}
