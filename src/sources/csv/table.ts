import { SourceIncompleteError } from '../../errors.ts';
import { countLineFeeds, createBlocks, endOfFirstRecord } from './blocks.ts';
import type { GuardedFile } from './file-guard.ts';
import { type Header, quoted, readHeader } from './header.ts';
import { eachRow, MalformedRowError, parseRecords, type RowShape } from './rows.ts';
import { readText, type TextOptions } from './text.ts';

export interface TableOptions extends TextOptions {
  readonly delimiter: string | undefined;
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
 * Reads a table to its end and returns its number of rows, the header not counted.
 *
 * Throws SourceIncompleteError, with line and column, for a row that has not as many fields as the header, broken quoting, a
 * record beyond 1 MiB, bytes that the encoding does not allow, NUL characters, or a blank line before the last row.
 */
export async function readTable(
  file: GuardedFile,
  options: TableOptions,
  reader: TableReader,
  signal: AbortSignal,
): Promise<number> {
  const blocks = createBlocks();
  const table = createTable(file.path, options.delimiter, reader);
  for await (const { bytes, fault } of readText(file, options, signal)) {
    const block = blocks.push(bytes);
    if (block !== undefined) table.read(block);
    if (fault !== undefined) throw refused(file.path, table.line + countLineFeeds(blocks.rest), fault);
    if (blocks.rest.length > MAX_RECORD_BYTES) table.refuseLong(blocks.rest);
  }
  if (blocks.rest.length > 0) table.read(blocks.rest);
  return table.finish();
}

interface Table {
  /** The next line to be read. */
  readonly line: number;
  read(block: Buffer): void;
  /** Returns the number of rows; throws when there was not even a header. */
  finish(): number;
  /** Throws for the beginning of a record that is too long: for its quoting if that is broken, else for its length. */
  refuseLong(start: Buffer): never;
}

function createTable(path: string, delimiter: string | undefined, reader: TableReader): Table {
  let header: Header | undefined;
  let shape: RowShape = { delimiter: '', slots: [] };
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
    shape = { delimiter: header.delimiter, slots: reader.slots(header) };
    columns = header.names.length;
    line += countLineFeeds(record);
    return block.subarray(end);
  }

  function onRow(values: readonly string[], fields: number, at: number): void {
    if (fields === columns && blankLine === 0) {
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

  function located(error: unknown): unknown {
    if (!(error instanceof MalformedRowError)) return error;
    const name = header?.names[error.field];
    const column = name === undefined ? `column ${error.field + 1}` : `column ${quoted(name)}`;
    return refused(path, error.line, { reason: `${column}: ${error.message}`, hint: error.hint }, error);
  }

  return {
    get line() {
      return line;
    },
    finish() {
      if (header !== undefined) return rows;
      throw new SourceIncompleteError(`${path}: has no header`, {
        hint: 'look whether the export that writes it failed',
      });
    },
    read(block) {
      try {
        line = eachRow(header === undefined ? readFirst(block) : block, shape, line, onRow);
      } catch (error) {
        throw located(error);
      }
    },
    refuseLong(start) {
      try {
        parseRecords(start, shape.delimiter === '' ? (delimiter ?? ',') : shape.delimiter, line);
      } catch (error) {
        throw located(error);
      }
      throw refused(path, line, { reason: 'the record is longer than 1 MiB', hint: 'lines must end with LF or CRLF' });
    },
  };
}

function refused(
  path: string,
  line: number,
  { reason, hint }: { readonly reason: string; readonly hint: string },
  cause?: unknown,
): SourceIncompleteError {
  return new SourceIncompleteError(`${path}:${line}: ${reason}`, { hint, cause });
}
