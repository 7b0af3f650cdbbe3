import { hash } from 'node:crypto';
import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { TextAttribute, TwilioUser } from '../domain/user.ts';
import type { SnapshotStore, UserRefresh } from '../ports.ts';
import type { Database } from './database.ts';
import { paged } from './paging.ts';

interface UserRow {
  readonly sid: UserSid;
  readonly user_name: string;
  readonly given_name: string | null;
  readonly family_name: string | null;
  readonly display_name: string | null;
  readonly locale: string | null;
  readonly timezone: string | null;
  readonly external_id: ExternalId | null;
  readonly active: number;
  readonly version: string | null;
}

const columns =
  'sid, user_name, given_name, family_name, display_name, locale, timezone, external_id, active, version' as const;

const usersPage = `SELECT ${columns} FROM users WHERE sid > ? ORDER BY sid LIMIT ?`;

const putUser = `
INSERT INTO users (${columns}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sid) DO UPDATE SET user_name = excluded.user_name, given_name = excluded.given_name,
  family_name = excluded.family_name, display_name = excluded.display_name, locale = excluded.locale,
  timezone = excluded.timezone, external_id = excluded.external_id, active = excluded.active, version = excluded.version,
  digest = excluded.digest`;

const putResource = `
INSERT INTO user_resources (user, resource) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET resource = excluded.resource`;

const bufferSize = 1_000;
const refreshAction = 'store the users read from Twilio';

type MirrorUsers = Pick<SnapshotStore, 'users' | 'resource' | 'refreshUsers'> & {
  resources(): Iterable<{ readonly user: TwilioUser; readonly resource: string | undefined }>;
};

/** Twilio's users as last read. */
export function mirrorUsers(database: Database): MirrorUsers {
  function* allUsers(): Generator<TwilioUser, void, undefined> {
    for (const row of paged<UserRow, [string]>(database, 'read the users', usersPage, [''], (last) => [last.sid])) {
      yield toUser(row);
    }
  }

  function resource(user: UserSid): string | undefined {
    return database.read(
      `read the resource of ${user}`,
      () =>
        database
          .statement<{ readonly resource: string }>('SELECT resource FROM user_resources WHERE user = ?')
          .get(user)?.resource,
    );
  }

  return {
    users(onUser) {
      for (const user of allUsers()) onUser(user);
    },
    resource,
    *resources() {
      for (const user of allUsers()) yield { user, resource: resource(user.sid) };
    },
    refreshUsers: () => refreshUsers(database),
  };
}

/**
 * Writes in transactions of a thousand users, and only what differs: the mirror is held meanwhile by the digests of its
 * resources, so that an unchanged user costs a hash and no access to the file. Abandoned before `finish`, every row is
 * still true of some moment, and the age is the old one.
 */
function refreshUsers(database: Database): UserRefresh {
  /** Mirrored users not yet seen in the new reading, by the digests of their resources; and those without a digest. */
  const { byDigest, withoutDigest } = database.read(refreshAction, () => readMirror(database));
  const written = new Set<UserSid>();
  let changed: Changed[] = [];
  /** The resource last asked about: whoever adds it has just asked. */
  let last: { readonly resource: string; readonly digest: string } | undefined;

  function digest(resource: string): string {
    if (last?.resource !== resource) last = { resource, digest: digestOf(resource) };
    return last.digest;
  }

  function flush(): void {
    for (const { user, resource, digest } of changed) put(database, user, resource, digest);
  }

  return {
    recognise: (resource) => byDigest.get(digest(resource)),
    add(user, resource) {
      const key = digest(resource);
      if (byDigest.get(key)?.sid === user.sid && !written.has(user.sid)) {
        byDigest.delete(key);
        return;
      }
      written.add(user.sid); // listed once more, the user is written: what came last is what is kept
      changed.push({ user, resource, digest: key });
      if (changed.length < bufferSize) return;
      database.write(refreshAction, flush);
      changed = [];
    },
    finish(at) {
      database.write(refreshAction, () => {
        flush();
        for (const sid of [...withoutDigest, ...[...byDigest.values()].map((user) => user.sid)]) {
          if (written.has(sid)) continue;
          database.statement('DELETE FROM users WHERE sid = ?').run(sid);
          database.statement('DELETE FROM user_resources WHERE user = ?').run(sid);
        }
        database
          .statement(`INSERT INTO refreshes VALUES ('users', ?) ON CONFLICT (mirror) DO UPDATE SET at = excluded.at`)
          .run(at);
      });
    },
  };
}

interface Changed {
  readonly user: TwilioUser;
  readonly resource: string;
  readonly digest: string;
}

function readMirror(database: Database): { byDigest: Map<string, TwilioUser>; withoutDigest: readonly UserSid[] } {
  const withoutDigest: UserSid[] = [];
  const byDigest = new Map<string, TwilioUser>();
  const rows = database.statement<UserRow & { readonly digest: string | null }>(`SELECT ${columns}, digest FROM users`);
  for (const row of rows.iterate()) {
    if (row.digest === null) withoutDigest.push(row.sid);
    else byDigest.set(row.digest, toUser(row));
  }
  return { byDigest, withoutDigest };
}

/** To be raised when resources are read in another way: every row is written anew then. */
const reading = 1;

function digestOf(resource: string): string {
  return hash('sha256', `${reading}${resource}`, 'base64');
}

function put(database: Database, user: TwilioUser, resource: string, digest: string): void {
  database.statement(putUser).run(...fromUser(user), digest);
  database.statement(putResource).run(user.sid, resource);
}

/** Part of a transaction of the caller's. */
export function putUserResource(database: Database, user: TwilioUser, resource: string): void {
  put(database, user, resource, digestOf(resource));
}

/** Part of a transaction of the caller's. The resource is out of date from now on: its version has moved. */
export function markDeactivated(database: Database, user: UserSid): void {
  database.statement('UPDATE users SET active = 0, digest = NULL WHERE sid = ?').run(user);
  database.statement('DELETE FROM user_resources WHERE user = ?').run(user);
}

function fromUser(user: TwilioUser): unknown[] {
  const { attributes } = user;
  return [
    user.sid,
    attributes.userName,
    attributes['name.givenName'] ?? null,
    attributes['name.familyName'] ?? null,
    attributes.displayName ?? null,
    attributes.locale ?? null,
    attributes.timezone ?? null,
    user.externalId ?? null,
    user.active ? 1 : 0,
    user.version ?? null,
  ];
}

function toUser(row: UserRow): TwilioUser {
  const attributes: Partial<Record<TextAttribute, string>> & { userName: string } = { userName: row.user_name };
  if (row.given_name !== null) attributes['name.givenName'] = row.given_name;
  if (row.family_name !== null) attributes['name.familyName'] = row.family_name;
  if (row.display_name !== null) attributes.displayName = row.display_name;
  if (row.locale !== null) attributes.locale = row.locale;
  if (row.timezone !== null) attributes.timezone = row.timezone;
  return {
    sid: row.sid,
    externalId: row.external_id ?? undefined,
    attributes,
    active: row.active === 1,
    version: row.version ?? undefined,
  };
}
