import type { UserSid } from '../domain/identity.ts';
import type { TwilioUser } from '../domain/user.ts';
import type { UserRefresh } from '../ports.ts';
import type { Database } from './database.ts';
import { digestOf, openStretches, touch } from './list-stretches.ts';
import { putUser } from './mirror-users.ts';

const bufferSize = 1_000;
const action = 'store the users read from Twilio';

interface Changed {
  readonly user: TwilioUser;
  readonly resource: string;
  readonly digest: string;
}

/**
 * Writes in transactions of a thousand users, and only what differs: stretches of the list that are known cost one digest
 * each, users that are read one by one are compared by the digests of their resources. Abandoned before `finish`, every
 * row is still true of some moment, and the age is the old one.
 */
export function refreshUsers(database: Database): UserRefresh {
  const stretches = openStretches(database, action);
  /** Of the mirrored users not yet seen one by one; read when the first comes, because often none does. */
  let digests: Map<UserSid, string | null> | undefined;
  const written = new Set<UserSid>();
  let changed: Changed[] = [];

  function flush(): void {
    for (const { user, resource, digest } of changed) {
      putUser(database, user, resource, digest);
      touch(database, user.sid);
    }
    changed = [];
    stretches.store();
  }

  function deleteUnseen(): void {
    const unseen = digests ?? readDigests(database);
    for (const users of stretches.recognised) for (const { sid } of users) unseen.delete(sid);
    for (const sid of unseen.keys()) {
      if (written.has(sid)) continue;
      database.statement('DELETE FROM users WHERE sid = ?').run(sid);
      database.statement('DELETE FROM user_resources WHERE user = ?').run(sid);
    }
  }

  /** Every user of the mirror stands in a stretch that came again, and nobody else came. */
  function isSame(): boolean {
    if (digests !== undefined) return false;
    let count = 0;
    for (const users of stretches.recognised) count += users.length;
    return count === database.statement<{ n: number }>('SELECT count(*) AS n FROM users').get()?.n;
  }

  return {
    after: stretches.after,
    add(user, resource) {
      digests ??= database.read(action, () => readDigests(database));
      stretches.append(user, resource);
      const digest = digestOf(resource);
      if (digests.get(user.sid) === digest && !written.has(user.sid)) digests.delete(user.sid);
      else {
        written.add(user.sid); // listed once more, the user is written: what came last is what is kept
        changed.push({ user, resource, digest });
      }
      if (changed.length + stretches.waiting * 100 >= bufferSize) database.write(action, flush);
    },
    finish(at) {
      database.write(action, () => {
        if (!isSame()) {
          flush();
          deleteUnseen();
          stretches.finish(written);
        }
        database
          .statement(`INSERT INTO refreshes VALUES ('users', ?) ON CONFLICT (mirror) DO UPDATE SET at = excluded.at`)
          .run(at);
      });
    },
  };
}

function readDigests(database: Database): Map<UserSid, string | null> {
  const rows = database.statement<{ sid: UserSid; digest: string | null }>('SELECT sid, digest FROM users').all();
  return new Map(rows.map(({ sid, digest }) => [sid, digest]));
}
