/**
 * The list of users as it last came, in stretches of some hundred users. A run that finds nothing to do reads a list that
 * is the same to the letter; one digest for a stretch then takes the place of scanning, parsing and comparing each user.
 *
 * | what follows a user in the list            | what becomes of it |
 * |--------------------------------------------|--------------------|
 * | the bytes of the stretch that is known     | its users are handed over; the mirror holds them already |
 * | the same, with a user written in between   | read one by one: mirror and stretch may differ on that user |
 * | anything else                              | read one by one, until a user comes whom a known stretch follows |
 *
 * From users that were read one by one new stretches are made. Where a stretch is looked for is a matter of speed alone:
 * it counts only when its bytes are the same, and then the same users stand in them.
 */
import { hash } from 'node:crypto';
import type { UserSid } from '../domain/identity.ts';
import type { TwilioUser } from '../domain/user.ts';
import type { KnownStretch } from '../ports.ts';
import type { Database } from './database.ts';

const usersPerStretch = 128;

/** To be raised when resources are read in another way: every user is read and written anew then. */
const reading = 1;

export function digestOf(bytes: string | Uint8Array): string {
  return `${reading} ${hash('sha256', bytes, 'base64')}`;
}

interface StretchRow {
  readonly after: string;
  readonly bytes: number;
  readonly digest: string;
}

export interface ListStretches {
  after(user: UserSid | ''): KnownStretch | undefined;
  /** The next user of the list, read by itself. */
  append(user: TwilioUser, resource: string): void;
  /** Users that came in stretches that are known, as far as the list has come. */
  readonly recognised: Iterable<readonly TwilioUser[]>;
  /** Stretches that wait to be stored. */
  readonly waiting: number;
  // What follows is part of a transaction of the caller's.
  store(): void;
  /** Forgets what this reading did not find, and stretches that say something else of `written` users than their rows. */
  finish(written: ReadonlySet<UserSid>): void;
}

/** `action` completes "cannot …". */
export function openStretches(database: Database, action: string): ListStretches {
  const known = new Map<string, StretchRow>();
  const touched = new Set<UserSid>();
  database.read(action, () => {
    const rows = database.statement<StretchRow>('SELECT after, bytes, digest FROM list_stretches').all();
    for (const row of rows) known.set(row.after, row);
    for (const { user } of database.statement<{ user: UserSid }>('SELECT user FROM touched_users').all())
      touched.add(user);
  });
  /** Found in this reading, by what they come after. */
  const recognised = new Map<string, readonly TwilioUser[]>();
  const kept = new Set<string>();
  let waiting: (StretchRow & { readonly users: readonly TwilioUser[] })[] = [];
  /** The stretch that is being made of users read one by one. */
  let open: { readonly after: string; readonly users: TwilioUser[]; readonly resources: string[] } | undefined;
  let previous: UserSid | '' = '';

  function close(): void {
    if (open === undefined) return;
    const { after, users, resources } = open;
    open = undefined;
    const bytes = Buffer.from(resources.join(','));
    const row = { after, bytes: bytes.length, digest: digestOf(bytes) };
    kept.add(after);
    if (known.get(after)?.digest !== row.digest) waiting.push({ ...row, users });
  }

  function usersOf({ after }: StretchRow): readonly TwilioUser[] {
    const row = database.read(action, () =>
      database
        .statement<{ readonly json: string }>('SELECT users_json AS json FROM list_stretches WHERE after = ?')
        .get(after),
    );
    return row === undefined ? [] : JSON.parse(row.json);
  }

  function recognise(row: StretchRow, bytes: Uint8Array): readonly TwilioUser[] | undefined {
    if (digestOf(bytes) !== row.digest) return undefined;
    const users = recognised.get(row.after) ?? usersOf(row);
    if (users.length === 0 || (touched.size > 0 && users.some(({ sid }) => touched.has(sid)))) return undefined;
    close();
    recognised.set(row.after, users);
    kept.add(row.after);
    previous = users.at(-1)?.sid ?? '';
    return users;
  }

  return {
    after(user) {
      const row = known.get(user);
      return row && { bytes: row.bytes, recognise: (bytes) => recognise(row, bytes) };
    },
    append(user, resource) {
      open ??= { after: previous, users: [], resources: [] };
      open.users.push(user);
      open.resources.push(resource);
      previous = user.sid;
      if (open.users.length === usersPerStretch) close();
    },
    recognised: { [Symbol.iterator]: () => recognised.values() },
    get waiting() {
      return waiting.length;
    },
    store() {
      const put = database.statement('INSERT OR REPLACE INTO list_stretches VALUES (?, ?, ?, ?)');
      for (const { after, bytes, digest, users } of waiting) put.run(after, bytes, digest, JSON.stringify(users));
      waiting = [];
    },
    finish(written) {
      close();
      this.store();
      for (const [after, users] of recognised) if (users.some(({ sid }) => written.has(sid))) kept.delete(after);
      for (const { after } of database.statement<{ after: string }>('SELECT after FROM list_stretches').all()) {
        if (!kept.has(after)) database.statement('DELETE FROM list_stretches WHERE after = ?').run(after);
      }
      database.statement('DELETE FROM touched_users').run();
    },
  };
}

/** Part of a transaction of the caller's: the user's row is no longer what the list said. */
export function touch(database: Database, user: UserSid): void {
  database.statement('INSERT OR IGNORE INTO touched_users VALUES (?)').run(user);
}
