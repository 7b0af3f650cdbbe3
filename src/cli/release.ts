import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findPerson, type KnownPerson, nameOf } from './find-person.ts';
import { changeSnapshot } from './snapshot-change.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface ReleaseOptions extends GlobalOptions {
  readonly undo?: boolean;
  readonly dryRun?: boolean;
  readonly reason?: string;
}

/** Gives a person back to manual care: nothing changes in Twilio, and no run changes or adopts that user until it is undone. */
export async function release(name: string, options: ReleaseOptions): Promise<ExitCode> {
  const action = options.undo ? 'take-back' : 'release';
  const { snapshot } = openForLooking(options);
  let person: KnownPerson;
  try {
    person = findPerson(snapshot.store, name);
    check(person, snapshot.store.released().has(person.user as never), action);
  } finally {
    snapshot.close();
  }
  if (!options.dryRun) {
    await changeSnapshot('release', options, ({ ledger }, act) => {
      if (action === 'release') ledger.release(person.externalId as never, act);
      else ledger.takeBack(person.user as never, act);
    });
  }
  const done = { action, dryRun: options.dryRun === true, ...person };
  print(options.json ? documentJson(done) : `${text(person, action, options.dryRun === true)}\n`);
  return exitCodes.ok;
}

function check(person: KnownPerson, isReleased: boolean, action: 'release' | 'take-back'): void {
  if (action === 'take-back') {
    if (isReleased) return;
    throw new UsageError(`release --undo: ${nameOf(person)} was not released`);
  }
  if (person.externalId !== undefined) return;
  const why = isReleased ? 'was released already' : 'is not managed, so there is nothing to give back';
  throw new UsageError(`release: ${nameOf(person)} ${why}`);
}

function text(person: KnownPerson, action: 'release' | 'take-back', dryRun: boolean): string {
  const who = `${printable(nameOf(person))} (${person.user})`;
  const would = dryRun ? 'would be' : 'is';
  return action === 'release'
    ? `${who} ${would} released: it keeps what it has in Twilio, and no run changes it.\n\`tdsync release ${printable(nameOf(person))} --undo\` manages it again.`
    : `${who} ${would} no longer released: the next run may adopt it, by the rules.`;
}
