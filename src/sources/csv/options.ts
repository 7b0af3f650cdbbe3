import { ConfigError, type ConfigIssue } from '../../errors.ts';
import type { CsvEncoding } from './encoding.ts';
import type { TrailerOptions } from './trailer.ts';

/** The file in a folder that is the newest among those whose name matches. */
export interface NewestFile {
  readonly folder: string;
  /** `*` stands for any characters, `?` for one. */
  readonly match: string;
  readonly newest: 'name' | 'modified';
}

/** A path, or the rule by which the file is found at each read. Every path is absolute, and messages show it as given. */
export type CsvFile = string | NewestFile;

/** A file with more columns for the people of the users files, joined by their id. */
export interface JoinOptions {
  readonly file: CsvFile;
  /** Column of the file that holds the id of the person; by default the one of `users`. */
  readonly id?: string;
  /** True: a person without a row makes the read incomplete. False, the default: the person lacks the file's attributes. */
  readonly required?: boolean;
  /** In place of the source's own, for this file. */
  readonly delimiter?: string;
  readonly encoding?: CsvEncoding;
  /** False: this file has none, though the others do. */
  readonly trailer?: TrailerOptions | false;
}

/** How the CSV source reads. */
export interface CsvOptions {
  /** One row per person; several are parts of one list, each with a header of its own. */
  readonly users: CsvFile | readonly CsvFile[];
  readonly join?: readonly JoinOptions[];
  /** Two columns whatever their names: person id, group. Rows for ids that `users` lacks are ignored. */
  readonly memberships?: CsvFile;
  /** Column of `users` that holds the immutable key. */
  readonly id: string;
  /** Taken out of ids that are whole numbers grouped by it; by default ids stay as they are. */
  readonly thousandsSeparator?: string;
  /** Column of `users` or of a joined file that holds group names, and what separates them there. */
  readonly groups?: { readonly column: string; readonly separator: string };
  /** Between fields. By default the one of comma, semicolon and tab with which the header holds the columns needed. */
  readonly delimiter?: string;
  /** By default what the byte order mark says, else UTF-8. */
  readonly encoding?: CsvEncoding;
  /** The row with which every file must end. */
  readonly trailer?: TrailerOptions;
  /** Milliseconds since a file was last written, beyond which it is too old to prove an absence. */
  readonly maxAgeMs?: number;
  /** Rows that `users` must have at least; 1 by default, so that a bare header never means that everybody left. */
  readonly minRows?: number;
  /** A file whose whole content is the number of rows that `users` must have, as its producer counted them. */
  readonly expectRowsFrom?: string;
  /** Bytes per read; 128 KiB by default. */
  readonly chunkSize?: number;
}

/** The parts of the users list. */
export function usersOf({ users }: CsvOptions): readonly CsvFile[] {
  return typeof users === 'string' || 'folder' in users ? [users] : users;
}

/** Throws ConfigError naming each setting that no file could be read with. */
export function checkOptions(options: CsvOptions): void {
  const issues: ConfigIssue[] = [];
  const { delimiter, groups } = options;
  if (delimiter !== undefined && (delimiter === '' || /["\r\n]/.test(delimiter))) {
    issues.push({ path: 'source.delimiter', message: 'must not be empty, nor hold a quote or a line break' });
  }
  if (groups !== undefined && groups.separator === '') {
    issues.push({ path: 'source.groups.separator', message: 'must not be empty' });
  }
  if (usersOf(options).length === 0) issues.push({ path: 'source.users', message: 'must name a file' });
  if (issues.length > 0) throw new ConfigError(issues);
}
