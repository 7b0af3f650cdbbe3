import type { AttributeValue } from '../../domain/entry.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { GuardedFile } from './file-guard.ts';
import { checkColumns, type OtherColumns, quoted } from './header.ts';
import type { IdOf } from './ids.ts';
import { readTable, type TableOptions } from './table.ts';

/**
 * A joined file: more columns for the people of the users files. It is read before them and kept by id, so it costs the
 * memory of its ids and of the columns that rules look at; the users files still stream.
 *
 * | case                                     | what happens                                                 |
 * |------------------------------------------|--------------------------------------------------------------|
 * | an id stands twice in the file           | incomplete: no row may win over another                      |
 * | a row without an id                      | incomplete: whose it was nobody can say                      |
 * | a row whose id no person has             | counted, and told in a warning                               |
 * | no row at all belongs to a person        | incomplete: the ids are written in another way               |
 * | a person without a row                   | attributes absent; incomplete when the file is `required`    |
 * | a wanted column in this and another file | incomplete, unless it is the id                              |
 */
export interface JoinedFile {
  readonly path: string;
  /** Wanted columns that it has. */
  readonly columns: readonly string[];
  /** All columns. */
  readonly names: readonly string[];
  /** The person's row, or -1; keeps account of who was asked for. `location` says where the person stands. */
  find(id: string, location: () => string): number;
  /** The text of the groups column; empty when the row or the file has none. */
  groupsText(row: number): string;
  /** Sets the attributes that the row has. */
  fill(row: number, record: Record<string, AttributeValue>): void;
  /** When everybody was looked up. Throws SourceIncompleteError for `required` rows that are missing, and when none was found. */
  unmatched(): Unmatched;
}

/** Rows that belong to nobody. */
export interface Unmatched {
  readonly rows: number;
  /** The first few, as `contracts.csv:7`. */
  readonly examples: readonly string[];
}

export interface JoinColumns {
  /** Column of the person's id in this file. */
  readonly id: string;
  /** Column of the id in the users files, which is no attribute here either. */
  readonly usersId: string;
  /** Columns that rules look at. */
  readonly attributes: readonly string[] | 'all';
  /** Column of group names, in whichever file it stands. */
  readonly groups: string | undefined;
  readonly required: boolean;
}

const SHOWN = 3;

/** Reads the file to its end. Throws SourceIncompleteError as `readTable` does and as the table above says. */
export async function readJoinedFile(
  file: GuardedFile,
  name: string,
  columns: JoinColumns,
  options: TableOptions,
  idOf: IdOf,
  signal: AbortSignal,
): Promise<JoinedFile> {
  const rowOf = new Map<string, number>();
  const lines: number[] = [];
  let names: readonly string[] = [];
  let provided: readonly string[] = [];
  let values: string[][] = [];
  let isAttribute: readonly boolean[] = [];
  let idSlot = 0;
  let groupsSlot = -1;
  const share = createSharing();

  await readTable(
    file,
    options,
    {
      wanted: wantedOf(columns, []),
      slots(header) {
        names = header.names;
        const isId = (other: string) => other === columns.id || other === columns.usersId;
        provided = wantedOf(columns, names).filter((other) => names.includes(other) && !isId(other));
        groupsSlot = columns.groups === undefined ? -1 : provided.indexOf(columns.groups);
        isAttribute = provided.map((other) => columns.attributes === 'all' || columns.attributes.includes(other));
        checkColumns(header, [columns.id, ...provided], file.path);
        values = provided.map(() => []);
        idSlot = provided.length;
        return names.map((other) => (other === columns.id ? idSlot : provided.indexOf(other)));
      },
      row(fields, line) {
        const id = idOf(fields[idSlot] ?? '');
        if (id === '')
          throw refused(
            file.path,
            line,
            `column ${quoted(columns.id)}: the person id is empty`,
            'every row names a person',
          );
        const before = rowOf.get(id);
        if (before !== undefined) {
          const reason = `column ${quoted(columns.id)}: the id ${quoted(id)} stood in line ${lines[before]} already`;
          throw refused(file.path, line, reason, 'a joined file has one row per person: have the export choose one');
        }
        rowOf.set(id, lines.length);
        lines.push(line);
        for (const [slot, column] of values.entries()) column.push(share(fields[slot] ?? ''));
      },
    },
    signal,
  );
  if (lines.length === 0) {
    throw new SourceIncompleteError(`${file.path}: 0 rows, at least 1 expected`, {
      hint: 'look whether the export that writes it failed',
    });
  }

  const matched = new Uint8Array(lines.length);
  const missing: string[] = [];
  let anyMatched = false;
  let lacking = 0;
  return {
    path: file.path,
    columns: provided,
    names,
    find(id, location) {
      const row = id === '' ? undefined : rowOf.get(id);
      if (row !== undefined) {
        matched[row] = 1;
        anyMatched = true;
        return row;
      }
      // Who has no id is a finding of its own.
      if (id !== '' && columns.required) {
        lacking++;
        if (missing.length < SHOWN) missing.push(`${quoted(id)} (${location()})`);
      }
      return -1;
    },
    groupsText: (row) => values[groupsSlot]?.[row] ?? '',
    fill(row, record) {
      for (const [slot, column] of provided.entries()) {
        const value = values[slot]?.[row] ?? '';
        if (value !== '' && isAttribute[slot] === true) record[column] = value;
      }
    },
    unmatched() {
      if (!anyMatched) throw strangers(file.path, rowOf, columns);
      if (lacking > 0) throw unjoined(file.path, lacking, missing);
      const free = lines.flatMap((line, row) => (matched[row] === 0 ? [line] : []));
      return { rows: free.length, examples: free.slice(0, SHOWN).map((line) => `${name}:${line}`) };
    },
  };
}

/** The id's column, those of attributes and that of groups, each once. */
function wantedOf({ id, attributes, groups }: JoinColumns, names: readonly string[]): readonly string[] {
  const listed = attributes === 'all' ? names.filter((name) => name !== '') : attributes;
  return [...new Set([id, ...listed, ...(groups === undefined ? [] : [groups])])];
}

/** Throws SourceIncompleteError when a column that rules look at stands in two joined files. */
export function checkJoinedColumns(files: readonly JoinedFile[]): void {
  const holders = new Map<string, string>();
  for (const { path, columns } of files) {
    for (const column of columns) {
      const other = holders.get(column);
      if (other !== undefined) throw standsInBoth(column, path, other);
      holders.set(column, path);
    }
  }
}

/** Throws SourceIncompleteError when a users file has a column that rules look at and that a joined file has too. */
export function checkUsersColumns(path: string, names: readonly string[], files: readonly JoinedFile[]): void {
  for (const joined of files) {
    const both = joined.columns.find((column) => names.includes(column));
    if (both !== undefined) throw standsInBoth(both, path, joined.path);
  }
}

export function columnsOf(files: readonly JoinedFile[]): readonly OtherColumns[] {
  return files.map(({ path, names }) => ({ file: path, names }));
}

const MAX_SHARED = 10_000;

/** Departments and the like repeat: each text is kept once. What is all different is not remembered for ever. */
function createSharing(): (value: string) => string {
  const known = new Map<string, string>();
  return (value) => {
    const same = known.get(value);
    if (same !== undefined) return same;
    if (known.size >= MAX_SHARED) known.clear();
    known.set(value, value);
    return value;
  };
}

function standsInBoth(column: string, path: string, other: string): SourceIncompleteError {
  const hint = 'nobody can say which of them counts: leave the column out of one of the exports, or rename it there';
  return new SourceIncompleteError(`${path}:1: column ${quoted(column)} stands in ${other} too`, { hint });
}

function unjoined(path: string, count: number, examples: readonly string[]): SourceIncompleteError {
  const who = `${examples.join(', ')}${count > examples.length ? ` and ${count - examples.length} more` : ''}`;
  return new SourceIncompleteError(`${path}: has no row for ${count === 1 ? '1 person' : `${count} people`}: ${who}`, {
    hint: 'complete the export, or take `required` from the joined file',
  });
}

function strangers(path: string, rows: ReadonlyMap<string, number>, { id }: JoinColumns): SourceIncompleteError {
  const [first = ''] = rows.keys();
  return new SourceIncompleteError(`${path}: none of its ids belongs to a person`, {
    hint: `column ${quoted(id)} begins with ${quoted(first)}: are leading zeros or separators lost in one of the files?`,
  });
}

function refused(path: string, line: number, reason: string, hint: string): SourceIncompleteError {
  return new SourceIncompleteError(`${path}:${line}: ${reason}`, { hint });
}
