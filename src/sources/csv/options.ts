import { ConfigError, type ConfigIssue } from '../../errors.ts';
import type { CsvEncoding } from './encoding.ts';

/** How the CSV source reads; every path is absolute, and messages show it as given. */
export interface CsvOptions {
  /** One row per person. */
  readonly users: string;
  /** Two columns whatever their names: person id, group. Rows for ids that `users` lacks are ignored. */
  readonly memberships?: string;
  /** Column of `users` that holds the immutable key. */
  readonly id: string;
  /** Column of `users` that holds group names, and what separates them there. */
  readonly groups?: { readonly column: string; readonly separator: string };
  /** Between fields. By default the one of comma, semicolon and tab with which the header holds the columns needed. */
  readonly delimiter?: string;
  /** By default what the byte order mark says, else UTF-8. */
  readonly encoding?: CsvEncoding;
  /** Milliseconds since a file was last written, beyond which it is too old to prove an absence. */
  readonly maxAgeMs?: number;
  /** Rows that `users` must have at least; 1 by default, so that a bare header never means that everybody left. */
  readonly minRows?: number;
  /** A file whose whole content is the number of rows that `users` must have, as its producer counted them. */
  readonly expectRowsFrom?: string;
  /** Bytes per read; 128 KiB by default. */
  readonly chunkSize?: number;
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
  if (issues.length > 0) throw new ConfigError(issues);
}
