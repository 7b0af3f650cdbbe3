import type { CompleteRead, Demand, Entry } from '../../domain/entry.ts';
import { SourceIncompleteError } from '../../errors.ts';
import type { Clock, DirectorySource, Logger } from '../../ports.ts';
import { openFiles, type SourceFiles } from './files.ts';
import { createGroupCensus, createGroupSplitter, type GroupCensus } from './groups.ts';
import { quoted } from './header.ts';
import { createIdOf } from './ids.ts';
import { checkJoinedColumns, type JoinedFile, readJoinedFile } from './join.ts';
import { readMemberships } from './memberships.ts';
import { describeFile } from './newest.ts';
import { type CsvOptions, checkOptions, usersOf } from './options.ts';
import { checkRows, readExpectedRows } from './row-count.ts';
import { readTable, type TableOptions } from './table.ts';
import { createUsersReader, type GroupsOf } from './users.ts';

const DEFAULT_CHUNK_SIZE = 128 * 1024;

/**
 * A directory in CSV files: people, in one file or in parts; more columns, in files joined by id; and who is in which group.
 *
 * A read is complete when all files were whole tables from the first byte to the last, did not change from the opening of the first to
 * the end of the last, have as many rows as configured, and hold every column and group that a rule names.
 * Throws ConfigError for options that no file could be read with.
 */
export function createCsvSource(options: CsvOptions, clock: Clock, logger: Pick<Logger, 'warn'>): DirectorySource {
  checkOptions(options);
  return {
    description: describe(options),
    async read(demand, onEntry, signal) {
      const census = createGroupCensus(demand);
      checkGroupsConfigured(options, demand, census);
      // All are opened before any is read, and believed only when none changed until all were read.
      const files = await openFiles(options, census.needed, clock);
      try {
        const read = await readFiles(options, demand, census, files, { onEntry, logger, signal });
        for (const file of files.all) await file.confirmUnchanged();
        return read;
      } catch (error) {
        // A file that is being rewritten shows faults of its own; that it changes is what the reader should know.
        if (error instanceof SourceIncompleteError) for (const file of files.all) await file.confirmUnchanged(error);
        throw error;
      } finally {
        for (const file of files.all) await file.close();
      }
    },
  };
}

interface Rim {
  readonly onEntry: (entry: Entry) => void;
  readonly logger: Pick<Logger, 'warn'>;
  readonly signal: AbortSignal;
}

async function readFiles(
  options: CsvOptions,
  demand: Demand,
  census: GroupCensus,
  files: SourceFiles,
  { onEntry, logger, signal }: Rim,
): Promise<CompleteRead> {
  const table: TableOptions = {
    delimiter: options.delimiter,
    encoding: options.encoding,
    trailer: options.trailer,
    chunkSize: options.chunkSize ?? DEFAULT_CHUNK_SIZE,
  };
  const idOf = createIdOf(options.thousandsSeparator);
  const expected = options.expectRowsFrom === undefined ? undefined : await readExpectedRows(options.expectRowsFrom);
  const groupsColumn = options.groups?.column;

  const joined: JoinedFile[] = [];
  for (const { file, options: join } of files.joined) {
    const columns = {
      id: join.id ?? options.id,
      usersId: options.id,
      attributes: demand.attributes,
      groups: groupsColumn,
      required: join.required ?? false,
    };
    joined.push(await readJoinedFile(file, files.nameOf(file), columns, { ...table, ...own(join) }, idOf, signal));
  }
  checkJoinedColumns(joined);
  const memberships = files.memberships && (await readMemberships(files.memberships, table, census, idOf, signal));
  const split = options.groups && census.needed ? createGroupSplitter(options.groups.separator, census) : undefined;
  const readerOf = createUsersReader(
    { id: options.id, groups: groupsColumn },
    demand,
    { groupsOf: combine(memberships?.groupsOf, split), joined, idOf },
    onEntry,
  );
  let rows = 0;
  for (const file of files.users) {
    const found = await readTable(file, table, readerOf({ path: file.path, name: files.nameOf(file) }), signal);
    // Of several parts each has to say something: a bare header must not mean that a whole country has left.
    if (files.users.length > 1) checkRows(file.path, found, 1, undefined);
    rows += found;
  }
  const parts = files.users.map(({ path }) => path).join(', ');
  checkRows(parts, rows, options.minRows ?? 1, expected);
  for (const file of joined) reportUnmatched(file, logger);
  checkGroups(options, parts, census);
  return { entries: rows, description: describePaths(files) };
}

/** What a joined file has of its own in place of the source's. */
function own({ delimiter, encoding, trailer }: SourceFiles['joined'][number]['options']): Partial<TableOptions> {
  return {
    ...(delimiter === undefined ? {} : { delimiter }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(trailer === undefined ? {} : { trailer: trailer === false ? undefined : trailer }),
  };
}

function reportUnmatched(file: JoinedFile, logger: Pick<Logger, 'warn'>): void {
  const { rows, examples } = file.unmatched();
  if (rows === 0) return;
  logger.warn({ file: file.path, rows, examples }, 'rows of a joined file belong to no person of the users file');
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
  const users = usersOf(options).map(describeFile).join(', ');
  throw new SourceIncompleteError(`${users}: rules look at ${which}, but nothing says where groups stand`, {
    hint: 'set source.memberships, or source.groups for a column of the users file',
  });
}

/** Throws SourceIncompleteError when a group that a rule names has no member. */
function checkGroups(options: CsvOptions, users: string, census: GroupCensus): void {
  const missing = census.missing();
  if (missing.length === 0) return;
  const column = options.groups && `${users} (column ${quoted(options.groups.column)})`;
  const places = [options.memberships && describeFile(options.memberships), column]
    .filter((place) => place !== undefined)
    .join(' and ');
  const near = missing.filter((group) => group.near !== undefined);
  const names = missing.map((group) => quoted(group.name)).join(', ');
  throw new SourceIncompleteError(`${places}: no row names the group${missing.length > 1 ? 's' : ''} ${names}`, {
    hint:
      near.length > 0
        ? near.map(({ name, near }) => `${quoted(name)} is spelled ${quoted(near ?? '')} in the file`).join('; ')
        : 'was it renamed, or left out of the export? A group without members cannot be told from one that is missing: take it out of the rules',
  });
}

/** As configured. */
function describe({ join = [], memberships, ...options }: CsvOptions): string {
  return inWords({
    users: usersOf(options).map(describeFile),
    joined: join.map(({ file }) => describeFile(file)),
    memberships: memberships && describeFile(memberships),
  });
}

/** As found. */
function describePaths({ users, joined, memberships }: SourceFiles): string {
  return inWords({
    users: users.map(({ path }) => path),
    joined: joined.map(({ file }) => file.path),
    memberships: memberships?.path,
  });
}

interface Places {
  readonly users: readonly string[];
  readonly joined: readonly string[];
  readonly memberships: string | undefined;
}

function inWords({ users, joined, memberships }: Places): string {
  const parts = [users.join(', ')];
  if (joined.length > 0) parts.push(`joined with ${joined.join(', ')}`);
  if (memberships !== undefined) parts.push(`with memberships ${memberships}`);
  return parts.join(' ');
}
