import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type Sqlite from 'better-sqlite3';
import type { ScopeSid } from '../domain/identity.ts';
import { schemaVersion } from './migrations/index.ts';
import { formatMode, permissions } from './private-file.ts';
import { openAnyWay } from './read-only.ts';
import { applicationId, boundOrganization, identifySchema } from './schema.ts';
import { isCorruption, storageCode, translating } from './sqlite-errors.ts';

export interface SnapshotCheck {
  /** Absolute. */
  readonly path: string;
  /** False: the first run makes it. Nothing else is known then. */
  readonly exists: boolean;
  /** Octal permission bits of the file, e.g. `0600`. */
  readonly mode: string | undefined;
  /** The file and its write-ahead log, in bytes. */
  readonly size: number;
  /** Schema version in the file; an older one is migrated by the next run. */
  readonly schema: number | undefined;
  readonly supportedSchema: number;
  readonly organization: ScopeSid | undefined;
  /** Sentences, each naming what is wrong and what to do. Empty: the snapshot is sound. */
  readonly problems: readonly string[];
}

/**
 * Reads the whole snapshot and changes nothing (about a second per gigabyte).
 * Throws SnapshotCorruptError, SchemaTooNewError or SnapshotUnusableError when it cannot even be opened.
 */
export function checkSnapshot(path: string): SnapshotCheck {
  const file = resolve(path);
  const mode = permissions(file);
  const absent = { schema: undefined, organization: undefined };
  const found = mode === undefined ? { ...absent, problems: [] } : examine(file);
  return {
    path: file,
    exists: mode !== undefined,
    mode: mode === undefined ? undefined : formatMode(mode),
    size: sizeOf(file) + sizeOf(`${file}-wal`),
    supportedSchema: schemaVersion,
    ...found,
    problems: [...modeProblems(file, mode), ...found.problems],
  };
}

function examine(file: string): Pick<SnapshotCheck, 'schema' | 'organization' | 'problems'> {
  return translating(file, 'check the snapshot', () => {
    const { connection, dispose } = openAnyWay(file);
    try {
      const schema = identifySchema(connection, file);
      const ours = connection.pragma('application_id', { simple: true }) === applicationId;
      const problems = damages(connection).map(
        (message) => `${file} is damaged: ${message}. Move it away and run again, or restore a backup`,
      );
      return { schema, organization: ours ? boundOrganization(connection) : undefined, problems };
    } finally {
      connection.close();
      dispose();
    }
  });
}

function damages(connection: Sqlite.Database): string[] {
  try {
    const rows = connection.pragma('integrity_check(10)') as readonly { readonly integrity_check: string }[];
    const found = rows.map((row) => row.integrity_check).filter((message) => message !== 'ok');
    if (found.length > 0) return found;
    const orphans = connection.pragma('foreign_key_check') as readonly unknown[];
    return orphans.length === 0 ? [] : [`${orphans.length} rows of the history refer to rows that are missing`];
  } catch (error) {
    if (isCorruption(storageCode(error) ?? '')) return [(error as Error).message];
    throw error;
  }
}

function modeProblems(file: string, mode: number | undefined): string[] {
  const problems: string[] = [];
  if (mode !== undefined && (mode & 0o077) !== 0) {
    problems.push(`${file} has mode ${formatMode(mode)}: others than its owner can reach it. Run chmod 600 ${file}`);
  }
  const folder = dirname(file);
  const folderMode = permissions(folder);
  if (folderMode !== undefined && (folderMode & 0o022) !== 0) {
    problems.push(
      `${folder} has mode ${formatMode(folderMode)}: others than its owner can replace the snapshot. Run chmod go-w ${folder}`,
    );
  }
  return problems;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
