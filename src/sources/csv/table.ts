import { SourceIncompleteError } from '../../errors.ts';
import { countLineFeeds, createBlocks, endOfFirstRecord } from './blocks.ts';
import { createHeaderWatch, cutAtMarks, type HeaderWatch, type Piece } from './concatenation.ts';
import type { GuardedFile } from './file-guard.ts';
import { type Header, quoted, readHeader } from './header.ts';
import { eachRow, MalformedRowError, parseRecords, type RowShape } from './rows.ts';
import { readText, type TextOptions } from './text.ts';
import { createLastRecord, type TrailerOptions, trailerProblem } from './trailer.ts';

export interface TableOptions extends TextOptions {
  readonly delimiter: string | undefined;
  /** The row with which the file must end; undefined when it ends with a row of data. */
  readonly trailer: TrailerOptions | undefined;
}

/** What a reader makes of a table. */
export interface TableReader {
  /** Columns by which the delimiter is recognised when none is configured. */
  readonly wanted: readonly string[];
  /**
   * Called once, with the header; gives for each of its columns the place of its value in a row, or -1.
   * Throws SourceIncompleteError when the header does not serve.
   */
  slots(header: Header): readonly number[];
  /** `values` is used again for the next row; `line` is 1-based, the row's first. */
  row(values: readonly string[], line: number): void;
}

/** No person's record comes near; what does is an unclosed quote that swallows the file. */
const MAX_RECORD_BYTES = 1024 * 1024;

/**
 * Reads a table to its end and returns its number of rows; header and trailer are none.
 *
 * Throws SourceIncompleteError, with line and column, for a row that has not as many fields as the header, broken quoting, a
 * record beyond 1 MiB, bytes that the encoding does not allow, NUL characters, a blank line before the last row, another
 * header among the rows, or a trailer that is missing, early or counts otherwise.
 */
export async function readTable(
  file: GuardedFile,
  options: TableOptions,
  reader: TableReader,
  signal: AbortSignal,
): Promise<number> {
  const blocks = createBlocks();
  const table = createTable(file.path, options, reader);
  const last = options.trailer && createLastRecord();
  function take(block: Buffer): void {
    for (const records of last?.push(block) ?? [block]) table.read(records);
  }
  for await (const { bytes, fault } of readText(file, options, signal)) {
    const block = blocks.push(bytes);
    if (block !== undefined) take(block);
    const heldBack = last?.held ?? Buffer.alloc(0);
    if (fault !== undefined) {
      throw refused(file.path, table.line + countLineFeeds(heldBack) + countLineFeeds(blocks.rest), fault);
    }
    if (blocks.rest.length > MAX_RECORD_BYTES) table.refuseLong(blocks.rest, countLineFeeds(heldBack));
  }
  if (blocks.rest.length > 0) take(blocks.rest);
  return table.finish(last?.held);
}

interface Table {
  /** The next line to be read. */
  readonly line: number;
  read(block: Buffer): void;
  /** Takes the trailer's record, when there must be one. Returns the number of rows; throws when there was not even a header. */
  finish(trailer: Buffer | undefined): number;
  /**
   * Throws for the beginning of a record that is too long: for its quoting if that is broken, else for its length.
   * `ahead` lines that were not read yet stand before it.
   */
  refuseLong(start: Buffer, ahead: number): never;
}

function createTable(path: string, { delimiter, trailer }: TableOptions, reader: TableReader): Table {
  let header: Header | undefined;
  let shape: RowShape = { delimiter: '', slots: [] };
  let watch: HeaderWatch = () => undefined;
  let firstSlot = -1;
  let columns = 0;
  let line = 1;
  let blankLine = 0;
  let rows = 0;

  function readFirst(block: Buffer): Buffer {
    const end = endOfFirstRecord(block);
    const record = block.subarray(0, end);
    if (record.toString().trim() === '') {
      throw refused(path, 1, { reason: 'the line is blank, where the header must be', hint: 'remove the line' });
    }
    header = readHeader((candidate) => parseRecords(record, candidate, 1)[0] ?? [], delimiter, reader.wanted);
    if (header.names.some((name) => /\r(?!\n)/.test(name))) {
      throw refused(path, 1, { reason: 'a carriage return stands in the header', hint: 'end lines with LF or CRLF' });
    }
    const { names } = header;
    const slots = [...reader.slots(header)];
    watch = createHeaderWatch(wantedNames(names, slots), names);
    // A trailer before the end is told by the first field, whether a reader wants that or not.
    if (trailer !== undefined && slots[0] === -1) slots[0] = slots.filter((slot) => slot >= 0).length;
    firstSlot = trailer === undefined ? -1 : (slots[0] ?? -1);
    shape = { delimiter: header.delimiter, slots };
    columns = names.length;
    line += countLineFeeds(record);
    return block.subarray(end);
  }

  function onRow(values: readonly string[], fields: number, at: number): void {
    if (trailer !== undefined && fields > 0 && values[firstSlot] === trailer.match) throw refused(path, at, early);
    if (fields === columns && blankLine === 0) {
      const seen = watch(values);
      if (seen === 'repeated') return;
      if (seen === 'another') throw refused(path, at, anotherHeader);
      rows++;
      reader.row(values, at);
    } else if (fields === 0) {
      blankLine ||= at;
    } else if (blankLine > 0) {
      throw refused(path, blankLine, { reason: 'blank line between rows', hint: 'only the end may be blank' });
    } else {
      throw refused(path, at, {
        reason: `${fields} fields, where the header has ${columns}`,
        hint: `a value that holds the delimiter ${quoted(shape.delimiter)} or a line break must be quoted`,
      });
    }
  }

  /** After a mark the record may be a header whose columns stand elsewhere, so it is looked at as a whole. */
  function checkMarked({ records }: Piece, { names }: Header): void {
    const record = records.subarray(0, endOfFirstRecord(records));
    const fields = (parseRecords(record, shape.delimiter, line)[0] ?? []).map((field) => field.trim());
    const moved = wantedNames(names, shape.slots).some((name) => fields.indexOf(name) !== names.indexOf(name));
    const allThere = wantedNames(names, shape.slots).every((name) => fields.includes(name));
    if (allThere && moved) throw refused(path, line, anotherHeader);
  }

  function readPiece(piece: Piece): void {
    if (header !== undefined && piece.marked) checkMarked(piece, header);
    line = eachRow(header === undefined ? readFirst(piece.records) : piece.records, shape, line, onRow);
  }

  function located(error: unknown): unknown {
    if (!(error instanceof MalformedRowError)) return error;
    const name = header?.names[error.field];
    const column = name === undefined ? `column ${error.field + 1}` : `column ${quoted(name)}`;
    return refused(path, error.line, { reason: `${column}: ${error.message}`, hint: error.hint }, error);
  }

  function finishWith(record: Buffer, expected: TrailerOptions): void {
    const { records = record } = cutAtMarks(record).at(-1) ?? {};
    const end = endOfFirstRecord(records);
    const [fields = []] = parseRecords(records.subarray(0, end), shape.delimiter, line);
    const problem = trailerProblem(records.toString('utf8', end).trim() === '' ? fields : [], expected, rows);
    if (problem !== undefined) throw refused(path, line, problem);
  }

  return {
    get line() {
      return line;
    },
    finish(last) {
      if (header === undefined) {
        const hint = 'look whether the export that writes it failed';
        const onlyRow = last !== undefined && last.toString().trim() !== '';
        throw new SourceIncompleteError(`${path}: has no ${onlyRow ? 'header and trailer' : 'header'}`, { hint });
      }
      if (trailer === undefined || last === undefined) return rows;
      try {
        finishWith(last, trailer);
      } catch (error) {
        throw located(error);
      }
      return rows;
    },
    read(block) {
      try {
        for (const piece of cutAtMarks(block)) readPiece(piece);
      } catch (error) {
        throw located(error);
      }
    },
    refuseLong(start, ahead) {
      try {
        parseRecords(start, shape.delimiter === '' ? (delimiter ?? ',') : shape.delimiter, line + ahead);
      } catch (error) {
        throw located(error);
      }
      throw refused(path, line + ahead, {
        reason: 'the record is longer than 1 MiB',
        hint: 'lines must end with LF or CRLF',
      });
    },
  };
}

/** The names of the columns that a row's values come from, in the values' order. */
function wantedNames(names: readonly string[], slots: readonly number[]): readonly string[] {
  const wanted: string[] = [];
  for (const [column, slot] of slots.entries()) if (slot >= 0) wanted[slot] = names[column] ?? '';
  return wanted;
}

const early = {
  reason: 'a trailer stands before the last row',
  hint: 'a file put together from several has to be given in parts: list them in source.users',
};
const anotherHeader = {
  reason: 'another header begins here, with other columns or in another order',
  hint: 'a file put together from several has to be given in parts: list them in source.users',
};

function refused(
  path: string,
  line: number,
  { reason, hint }: { readonly reason: string; readonly hint: string },
  cause?: unknown,
): SourceIncompleteError {
  return new SourceIncompleteError(`${path}:${line}: ${reason}`, { hint, cause });
}
