import type { Entry } from '../domain/entry.ts';
import type { ExternalId } from '../domain/identity.ts';
import type { MissingEntry, Seen, SeenEntry } from '../domain/seen-entry.ts';
import type { Database } from './database.ts';

/** As it stands in the table: paths are written out, group by group. */
type StoredEntry = Omit<Entry, 'groupPaths'> & { readonly paths?: Readonly<Record<string, readonly string[]>> };

/** Part of a transaction of the caller's. Whoever is missing is kept aside, where no run looks and `why` does. */
export function keepSeen(database: Database, run: string, { entries, missing }: Seen, at: number): void {
  const insert = database.statement(
    'INSERT OR REPLACE INTO seen_entries (external_id, run, at, hash, entry_json) VALUES (?, ?, ?, ?, ?)',
  );
  for (const { entry, hash } of entries) insert.run(entry.id, run, at, hash, JSON.stringify(toStored(entry)));
  if (entries.length > 0) {
    database.statement('DELETE FROM missing_entries WHERE external_id IN (SELECT external_id FROM seen_entries)').run();
  }
  const keepAside = database.statement(
    `INSERT OR REPLACE INTO missing_entries (external_id, run, at, entry_json, missing_run, missing_at)
     SELECT external_id, run, at, entry_json, ?, ? FROM seen_entries WHERE external_id = ?`,
  );
  const remove = database.statement('DELETE FROM seen_entries WHERE external_id = ?');
  for (const externalId of missing) {
    keepAside.run(run, at, externalId);
    remove.run(externalId);
  }
}

/** The hashes of all kept entries, which hold their keys as well: numbers alone, as there are as many as people. */
export function seenHashes(database: Database): ReadonlySet<number> {
  return new Set(database.statement('SELECT hash FROM seen_entries').pluck().iterate() as Iterable<number>);
}

export function seenEntry(database: Database, externalId: ExternalId): SeenEntry | undefined {
  const row = database
    .statement<{ readonly run: string; readonly at: number; readonly entry: string }>(
      'SELECT run, at, entry_json AS entry FROM seen_entries WHERE external_id = ?',
    )
    .get(externalId);
  return row && { run: row.run, at: row.at, entry: toEntry(JSON.parse(row.entry) as StoredEntry) };
}

/** Undefined for whom the source holds, and for whom no run kept an entry. */
export function missingEntry(database: Database, externalId: ExternalId): MissingEntry | undefined {
  const row = database
    .statement<
      Omit<MissingEntry, 'entry' | 'missing'> & {
        readonly entry: string;
        readonly missingRun: string;
        readonly missingAt: number;
      }
    >(
      `SELECT run, at, entry_json AS entry, missing_run AS missingRun, missing_at AS missingAt
       FROM missing_entries WHERE external_id = ?`,
    )
    .get(externalId);
  if (row === undefined) return undefined;
  const { run, at, entry, missingRun, missingAt } = row;
  return { run, at, entry: toEntry(JSON.parse(entry) as StoredEntry), missing: { run: missingRun, at: missingAt } };
}

/** Keys of entries that hold this text somewhere: an address, say, of somebody who is not in Twilio. */
export function seenWith(database: Database, text: string): readonly ExternalId[] {
  return database
    .statement<{ readonly externalId: ExternalId }>(
      `SELECT external_id AS externalId FROM seen_entries WHERE instr(lower(entry_json), lower(@text)) > 0
       UNION SELECT external_id FROM missing_entries WHERE instr(lower(entry_json), lower(@text)) > 0
       ORDER BY 1 LIMIT 2`,
    )
    .all({ text: JSON.stringify(text) })
    .map(({ externalId }) => externalId);
}

/** Part of a transaction of the caller's. Who is linked stays explained, who has left does not. */
export function dropSeenEntries(database: Database, before: number): void {
  database
    .statement('DELETE FROM seen_entries WHERE at < ? AND external_id NOT IN (SELECT external_id FROM links)')
    .run(before);
  database.statement('DELETE FROM missing_entries WHERE missing_at < ?').run(before);
}

function toStored({ groupPaths, ...entry }: Entry): StoredEntry {
  const paths = entry.groups.flatMap((group) => {
    const path = groupPaths?.to(group) ?? [];
    return path.length > 1 ? [[group, path] as const] : [];
  });
  return paths.length === 0 ? entry : { ...entry, paths: Object.fromEntries(paths) };
}

function toEntry({ paths, ...entry }: StoredEntry): Entry {
  return paths === undefined ? entry : { ...entry, groupPaths: { to: (name) => paths[name] ?? [] } };
}
