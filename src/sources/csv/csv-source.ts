import { basename } from 'node:path';
import type { CompleteRead, Demand, Entry } from '../../domain/entry.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Clock, DirectorySource } from '../../ports.ts';
import { type GuardedFile, openGuarded } from './file-guard.ts';
import { createGroupCensus, createGroupSplitter, type GroupCensus } from './groups.ts';
import { quoted } from './header.ts';
import { readMemberships } from './memberships.ts';
import { type CsvOptions, checkOptions } from './options.ts';
import { checkRows, readExpectedRows } from './row-count.ts';
import { readTable, type TableOptions } from './table.ts';
import { createUsersReader, type GroupsOf } from './users.ts';

const DEFAULT_CHUNK_SIZE = 128 * 1024;

/**
 * A directory in one CSV file, or two: people, and who is in which group.
 *
 * A read is complete when both files were whole tables from the first byte to the last, did not change from the opening of the first to
 * the end of the last, have as many rows as configured, and hold every column and group that a rule names.
 * Throws ConfigError for options that no file could be read with.
 */
export function createCsvSource(options: CsvOptions, clock: Clock): DirectorySource {
  checkOptions(options);
  return {
    description: describe(options),
    async read(demand, onEntry, signal) {
      const files: GuardedFile[] = [];
      async function openFile(path: string): Promise<GuardedFile> {
        const file = await openGuarded(path, options.maxAgeMs, clock);
        files.push(file);
        return file;
      }
      try {
        return await readFiles(options, demand, openFile, onEntry, signal);
      } catch (error) {
        // A file that is being rewritten shows faults of its own; that it changes is what the reader should know.
        if (error instanceof SourceIncompleteError) for (const file of files) await file.confirmUnchanged(error);
        throw error;
      } finally {
        for (const file of files) await file.close();
      }
    },
  };
}

async function readFiles(
  options: CsvOptions,
  demand: Demand,
  openFile: (path: string) => Promise<GuardedFile>,
  onEntry: (entry: Entry) => void,
  signal: AbortSignal,
): Promise<CompleteRead> {
  const census = createGroupCensus(demand);
  checkGroupsConfigured(options, demand, census);
  const table: TableOptions = {
    delimiter: options.delimiter,
    encoding: options.encoding,
    chunkSize: options.chunkSize ?? DEFAULT_CHUNK_SIZE,
  };
  // Both are opened before either is read, and believed only when neither changed until both were read.
  const usersFile = await openFile(options.users);
  const membershipsFile =
    options.memberships !== undefined && census.needed ? await openFile(options.memberships) : undefined;
  const expected = options.expectRowsFrom === undefined ? undefined : await readExpectedRows(options.expectRowsFrom);

  const memberships = membershipsFile && (await readMemberships(membershipsFile, table, census, signal));
  const split = options.groups && census.needed ? createGroupSplitter(options.groups.separator, census) : undefined;
  const reader = createUsersReader(
    { path: options.users, name: basename(options.users) },
    { id: options.id, groups: options.groups?.column },
    demand,
    combine(memberships?.groupsOf, split),
    onEntry,
  );
  const rows = await readTable(usersFile, table, reader, signal);
  checkRows(options.users, rows, options.minRows ?? 1, expected);
  checkGroups(options, census);
  await membershipsFile?.confirmUnchanged();
  await usersFile.confirmUnchanged();
  return { entries: rows, description: membershipsFile ? describe(options) : options.users };
}

function combine(
  byId: ((id: string) => readonly string[]) | undefined,
  byText: ((text: string) => readonly string[]) | undefined,
): GroupsOf {
  if (byId === undefined) return (_, text) => byText?.(text) ?? [];
  if (byText === undefined) return byId;
  return (id, text) => {
    const groups = byId(id);
    return text === '' ? groups : [...new Set([...groups, ...byText(text)])];
  };
}

/** Throws SourceIncompleteError when rules look at groups and no file could hold them. */
function checkGroupsConfigured(options: CsvOptions, demand: Demand, census: GroupCensus): void {
  if (!census.needed || options.memberships !== undefined || options.groups !== undefined) return;
  const which = demand.groups.length > 0 ? `the group ${quoted(demand.groups[0] ?? '')}` : 'groups';
  throw new SourceIncompleteError(`${options.users}: rules look at ${which}, but nothing says where groups stand`, {
    hint: 'set source.memberships, or source.groups for a column of the users file',
  });
}

/** Throws SourceIncompleteError when a group that a rule names has no member. */
function checkGroups(options: CsvOptions, census: GroupCensus): void {
  const missing = census.missing();
  if (missing.length === 0) return;
  const column = options.groups && `${options.users} (column ${quoted(options.groups.column)})`;
  const places = [options.memberships, column].filter((place) => place !== undefined).join(' and ');
  const near = missing.filter((group) => group.near !== undefined);
  const names = missing.map((group) => quoted(group.name)).join(', ');
  throw new SourceIncompleteError(`${places}: no row names the group${missing.length > 1 ? 's' : ''} ${names}`, {
    hint:
      near.length > 0
        ? near.map(({ name, near }) => `${quoted(name)} is spelled ${quoted(near ?? '')} in the file`).join('; ')
        : 'was it renamed, or left out of the export? A group without members cannot be told from one that is missing: take it out of the rules',
  });
}

function describe({ users, memberships }: CsvOptions): string {
  return memberships === undefined ? users : `${users} with memberships ${memberships}`;
}
