import type { Entry } from '../domain/entry.ts';
import { type ExternalId, normalizeEmail } from '../domain/identity.ts';
import { explain, usedBy } from '../engine/explain.ts';
import { systemClock } from '../ops/clock.ts';
import { foresee } from '../reconcile/foresee.ts';
import { documentJson } from '../report/json.ts';
import { type Why, whyText } from '../report/why-text.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findPerson, type KnownPerson } from './find-person.ts';
import { openSession, type Session } from './session.ts';
import { palette, print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Operations of the past that are shown. */
const mostRecent = 10;

/**
 * Explains one person from what the snapshot holds: the source's entry as a run last kept it, what each rule says about it, what
 * the person has in Twilio, what was done last, and what the next run would do. Nobody is asked, so it works offline.
 */
export async function why(name: string, role: string | undefined, options: GlobalOptions): Promise<ExitCode> {
  const session = openSession(options);
  const { openSnapshot } = await import('../store/snapshot.ts');
  const { snapshot: settings, rules } = session.configuration;
  using snapshot = openSnapshot(settings.path, 'read', rules.organization);
  const found = gather(session, snapshot, name);
  print(options.json ? documentJson(withoutPaths(found)) : whyText(found, role, palette()));
  return exitCodes.ok;
}

function gather({ configuration: { rules }, compiled }: Session, { store, history }: Snapshot, name: string): Why {
  const person = find(store, name);
  const externalId = person.externalId ?? ('' as ExternalId);
  const seen = externalId === '' ? undefined : store.seenEntry(externalId);
  const missing = seen === undefined && externalId !== '' ? store.missingEntry(externalId) : undefined;
  const now = systemClock.now();
  const { entitlements, assignments, isOwn, user, plan } = foresee(
    rules,
    compiled,
    store,
    externalId,
    seen?.entry,
    now,
  );
  const parked = [...store.parked()].find((each) => each.externalId === externalId);
  return {
    externalId: person.externalId,
    user: person.user,
    userName: person.userName ?? user?.attributes.userName,
    released: person.user !== undefined && store.released().has(person.user),
    inTwilio: user && { active: user.active, attributes: user.attributes },
    lastApplied: store.lastApplied(externalId),
    seen: seen && { ...seen, explanation: explain(rules, compiled, entitlements, seen.entry) },
    lastEntry: missing && { ...missing, used: usedBy(compiled, missing.entry) },
    assignments: assignments.map((assignment) => ({
      ...entitlements.nameOf(assignment),
      sid: assignment.sid,
      own: isOwn(assignment),
      managed: isOwn(assignment) || entitlements.named.has(`${assignment.role} ${assignment.scope}`),
    })),
    missing: store.absences().get(externalId) ?? 0,
    confirmAbsence: rules.policy.confirmAbsence,
    parked,
    past: externalId === '' ? [] : history.operationsOf(externalId, mostRecent),
    next: plan,
  };
}

/** Also somebody who is not in Twilio, by what a run kept of the source. */
function find(store: Snapshot['store'], name: string): KnownPerson {
  try {
    return findPerson(store, name);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const wanted = name.trim();
    const key = wanted as ExternalId;
    const isKey = store.seenEntry(key) !== undefined || store.missingEntry(key) !== undefined;
    const keys = isKey ? [key] : store.seenWith(normalizeEmail(wanted));
    const [externalId, ...others] = keys;
    if (externalId === undefined || others.length > 0) throw error;
    return { externalId, user: undefined, userName: undefined };
  }
}

/** Ways to groups are functions; of the rules' groups they stand in the explanation. */
function withoutPaths(found: Why): object {
  const { seen, lastEntry } = found;
  return {
    ...found,
    ...(seen && { seen: { ...seen, entry: plainEntry(seen.entry) } }),
    ...(lastEntry && { lastEntry: { ...lastEntry, entry: plainEntry(lastEntry.entry) } }),
  };
}

function plainEntry({ groupPaths: _groupPaths, ...entry }: Entry): object {
  return entry;
}
