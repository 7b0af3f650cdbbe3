import { grantKey, type TextAttributes, textAttributes } from '../domain/user.ts';
import type { Links, UserIndex } from './correlate.ts';
import type { DesiredState } from './desired-state.ts';
import { digestAll } from './digest.ts';
import type { Knowledge } from './people.ts';

/** Digest of what the source says of the people in scope: what is outside may change without making a plan stale. */
export function digestSource(desired: DesiredState): string {
  return digestAll(parts());

  function* parts(): Generator<string> {
    for (const externalId of [...desired.users.keys()].sort()) {
      const user = desired.users.get(externalId);
      if (user !== undefined) yield line(externalId, user.attributes, user.active, user.grants.map(grantKey));
    }
    yield JSON.stringify([...desired.held].sort());
    yield JSON.stringify([...desired.outOfScope].sort());
  }
}

/** Digest of what Twilio says of linked people: their attributes, whether they are active, their managed grants. */
export function digestTwilio(links: Links, users: UserIndex, knowledge: Knowledge): string {
  return digestAll(parts());

  function* parts(): Generator<string> {
    for (const externalId of [...links.byExternalId.keys()].sort()) {
      const sid = links.byExternalId.get(externalId);
      const user = sid && users.bySid.get(sid);
      if (user === undefined || sid === undefined) {
        yield JSON.stringify([externalId, sid ?? null]);
        continue;
      }
      const managed = knowledge
        .assignmentsOf(sid)
        .filter((assignment) => knowledge.isManaged(assignment))
        .map(grantKey);
      yield line(`${externalId} ${sid}`, user.attributes, user.active, managed.sort());
    }
  }
}

/** Parts are kept apart by a character that no address or name may hold. */
function line(key: string, attributes: TextAttributes, active: boolean, grants: readonly string[]): string {
  let text = key;
  for (const attribute of textAttributes) text += `\u0000${attributes[attribute] ?? ''}`;
  return `${text}\u0000${active}\u0000${grants.length === 0 ? '' : grants.join('\u0000')}`;
}
