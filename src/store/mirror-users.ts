import type { ExternalId, UserSid } from '../domain/identity.ts';
import type { TextAttribute, TwilioUser } from '../domain/user.ts';
import type { SnapshotStore } from '../ports.ts';
import type { Database } from './database.ts';
import { digestOf, touch } from './list-stretches.ts';
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

const putRow = `
INSERT INTO users (${columns}, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (sid) DO UPDATE SET user_name = excluded.user_name, given_name = excluded.given_name,
  family_name = excluded.family_name, display_name = excluded.display_name, locale = excluded.locale,
  timezone = excluded.timezone, external_id = excluded.external_id, active = excluded.active, version = excluded.version,
  digest = excluded.digest`;

const putResource = `
INSERT INTO user_resources (user, resource) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET resource = excluded.resource`;

type MirrorUsers = Pick<SnapshotStore, 'users' | 'resource'> & {
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
  };
}

/** Part of a transaction of the caller's. */
export function putUser(database: Database, user: TwilioUser, resource: string, digest: string): void {
  database.statement(putRow).run(...fromUser(user), digest);
  database.statement(putResource).run(user.sid, resource);
}

/** Part of a transaction of the caller's. */
export function putUserResource(database: Database, user: TwilioUser, resource: string): void {
  putUser(database, user, resource, digestOf(resource));
  touch(database, user.sid);
}

/** Part of a transaction of the caller's. The resource is out of date from now on: its version has moved. */
export function markDeactivated(database: Database, user: UserSid): void {
  database.statement('UPDATE users SET active = 0, digest = NULL WHERE sid = ?').run(user);
  database.statement('DELETE FROM user_resources WHERE user = ?').run(user);
  touch(database, user);
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
