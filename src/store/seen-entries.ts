import type { Entry } from '../domain/entry.ts';
import type { ExternalId } from '../domain/identity.ts';
import type { Seen, SeenEntry } from '../domain/seen-entry.ts';
import type { Database } from './database.ts';

/** As it stands in the table: paths are written out, group by group. */
type StoredEntry = Omit<Entry, 'groupPaths'> & { readonly paths?: Readonly<Record<string, readonly string[]>> };

/** Part of a transaction of the caller's. */
export function keepSeen(database: Database, run: string, { entries, missing }: Seen, at: number): void {
  const insert = database.statement(
    'INSERT OR REPLACE INTO seen_entries (external_id, run, at, hash, entry_json) VALUES (?, ?, ?, ?, ?)',
  );
  for (const { entry, hash } of entries) insert.run(entry.id, run, at, hash, JSON.stringify(toStored(entry)));
  const remove = database.statement('DELETE FROM seen_entries WHERE external_id = ?');
  for (const externalId of missing) remove.run(externalId);
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

/** Keys of entries that hold this text somewhere: an address, say, of somebody who is not in Twilio. */
export function seenWith(database: Database, text: string): readonly ExternalId[] {
  return database
    .statement<{ readonly externalId: ExternalId }>(
      'SELECT external_id AS externalId FROM seen_entries WHERE instr(lower(entry_json), lower(?)) > 0 ORDER BY external_id LIMIT 2',
    )
    .all(JSON.stringify(text))
    .map(({ externalId }) => externalId);
}

/** Part of a transaction of the caller's. Who is linked stays explained. */
export function dropSeenEntries(database: Database, before: number): void {
  database
    .statement('DELETE FROM seen_entries WHERE at < ? AND external_id NOT IN (SELECT external_id FROM links)')
    .run(before);
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
