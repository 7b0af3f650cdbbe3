import type { BlockKey } from '../domain/blocked.ts';
import { type ExternalId, normalizeEmail } from '../domain/identity.ts';
import type { Quarantined, QuarantinedPerson } from '../domain/quarantine.ts';
import { systemClock } from '../ops/clock.ts';
import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import { personData, quarantineData, quarantineText } from '../report/quarantine.ts';
import type { Choice } from '../store/quarantine.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findPerson } from './find-person.ts';
import { changeSnapshot } from './snapshot-change.ts';
import { openForLooking } from './snapshot-session.ts';
import { palette, print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface RetryOptions extends GlobalOptions {
  readonly all?: boolean;
  readonly domain?: readonly string[];
  readonly quota?: boolean;
  readonly breaker?: boolean;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

/** What is let out, and the people by name. */
interface Chosen extends Choice {
  readonly people: readonly QuarantinedPerson[];
}

/**
 * Lets people, and what is held back together, out of quarantine: the next run tries again. Nothing is written to Twilio now.
 * All that was named is let out, or nothing. Without a name it lists the quarantine.
 */
export async function retry(names: readonly string[], options: RetryOptions): Promise<ExitCode> {
  const isPart = names.length > 0 || options.quota || options.breaker || (options.domain ?? []).length > 0;
  if (options.all && isPart) throw new UsageError('retry: name whom to try again, or --all, not both');
  const isList = !options.all && !isPart;
  const { snapshot } = openForLooking(options);
  let chosen: Chosen;
  try {
    if (isList) return list(snapshot, options);
    chosen = choose(names, snapshot, options);
  } finally {
    snapshot.close();
  }
  if (!options.dryRun && !isNothing(chosen)) {
    chosen = await changeSnapshot('retry', options, (fresh, act) => {
      const now = choose(names, fresh, options);
      fresh.quarantine.release(now, act);
      return now;
    });
  }
  const { people, blocks, breaker } = chosen;
  const done = { dryRun: options.dryRun === true, people: people.map(personData), blocks, breaker };
  print(options.json ? documentJson(done) : text(chosen, options.dryRun === true));
  return exitCodes.ok;
}

function list({ quarantine }: Snapshot, { json, dryRun, reason }: RetryOptions): ExitCode {
  if (dryRun || reason !== undefined) throw new UsageError('retry: name whom to try again, or --all');
  const quarantined = quarantine.list();
  print(json ? documentJson(quarantineData(quarantined)) : quarantineText(quarantined, systemClock.now(), palette()));
  return exitCodes.ok;
}

function choose(names: readonly string[], { store, quarantine }: Snapshot, options: RetryOptions): Chosen {
  const quarantined = quarantine.list();
  const { people, blocks, breaker } = quarantined;
  if (options.all) return { people, blocks: blocks.map(({ key }) => key), breaker: breaker !== undefined };
  const found = names.map((name) => find(name, quarantined, store));
  if (options.breaker && breaker === undefined) throw new UsageError('retry: the circuit breaker is not open');
  const keys = [
    ...(options.domain ?? []).map((domain): BlockKey => `domain ${domain.trim().replace(/^@/, '').toLowerCase()}`),
    ...(options.quota ? (['quota'] as const) : []),
  ];
  for (const key of keys) refuseUnblocked(key, quarantined);
  return { people: [...new Set(found)], blocks: [...new Set(keys)], breaker: options.breaker === true };
}

function find(name: string, { people }: Quarantined, store: Snapshot['store']): QuarantinedPerson {
  const wanted = name.trim();
  const address = normalizeEmail(wanted);
  const found = people.filter(({ externalId, user, userName }) => {
    return externalId === wanted || user === wanted || (userName !== undefined && normalizeEmail(userName) === address);
  });
  const [person, ...others] = found;
  if (others.length > 0) {
    throw new UsageError(
      `retry: "${name}" could mean ${found.map(({ externalId }) => externalId).join(' or ')}; name the key`,
    );
  }
  if (person !== undefined) return person;
  const isSeen = store.seenEntry(wanted as ExternalId) !== undefined || store.seenWith(address).length > 0;
  if (!isSeen) {
    // By what Twilio showed last, if not by what was wanted; throws when that is nobody either.
    const { externalId } = findPerson(store, name);
    const linked = people.find((each) => each.externalId === externalId);
    if (linked !== undefined) return linked;
  }
  throw new UsageError(`retry: ${name} is not quarantined`, {
    hint: 'list who is with `tdsync retry`; a whole domain is tried again by `--domain`, everybody who has no room by `--quota`',
  });
}

function refuseUnblocked(key: BlockKey, { blocks }: Quarantined): void {
  if (blocks.some((block) => block.key === key)) return;
  const there = blocks.map((block) => block.key).join(', ');
  throw new UsageError(`retry: ${key} is not held back`, {
    hint: there === '' ? 'no domain is, nor the quota' : `held back are: ${there}`,
  });
}

function isNothing({ people, blocks, breaker }: Chosen): boolean {
  return people.length === 0 && blocks.length === 0 && !breaker;
}

const mostShown = 20;

function text(chosen: Chosen, dryRun: boolean): string {
  if (isNothing(chosen)) return 'Nothing is quarantined.\n';
  const { people, blocks, breaker } = chosen;
  const who = people.map(({ externalId, userName }) => {
    return userName === undefined ? externalId : `${userName} (${externalId})`;
  });
  const lines = [...(breaker ? ['the circuit breaker'] : []), ...blocks, ...who].map((each) => `  ${printable(each)}`);
  const rest = lines.length > mostShown ? [`  … and ${lines.length - mostShown} more`] : [];
  const heading = dryRun ? 'Would be tried again by the next run:' : 'Tried again by the next run:';
  return `${[heading, ...lines.slice(0, mostShown), ...rest].join('\n')}\n`;
}
