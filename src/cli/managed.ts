import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import type { LedgerEntry } from '../store/ledger.ts';
import type { LedgerGrant, ManagedPerson } from '../store/managed.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { findPerson, nameOf } from './find-person.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Who is managed, since when and by which run; of one person also who made each role. Looks at the snapshot alone. */
export async function managed(name: string | undefined, options: GlobalOptions): Promise<ExitCode> {
  const { configuration, snapshot } = openForLooking(options);
  using _snapshot = snapshot;
  if (name !== undefined) {
    const { organization } = configuration.rules;
    const details = detailsOf(name, snapshot, organization);
    print(options.json ? documentJson(details) : detailsText(details));
    return exitCodes.ok;
  }
  const people = [...snapshot.ledger.managed()];
  if (options.json) print(documentJson({ people }));
  else print(people.length === 0 ? 'Nobody is managed yet.\n' : `${people.map(personLine).join('\n')}\n`);
  return exitCodes.ok;
}

interface NamedLedgerGrant extends LedgerGrant {
  readonly roleName: string;
  readonly scopeName: string;
}

interface Details {
  readonly person: ManagedPerson;
  readonly grants: readonly NamedLedgerGrant[];
  /** What people decided about this user, the newest first. */
  readonly decisions: readonly LedgerEntry[];
}

/** Throws UsageError when the name means nobody, or somebody who is not managed. */
function detailsOf(name: string, { store, ledger }: Snapshot, organization: string): Details {
  const known = findPerson(store, name);
  const person = known.externalId && ledger.managedPerson(known.externalId);
  if (person === undefined) {
    const isReleased = known.user !== undefined && store.released().has(known.user);
    throw new UsageError(`managed: ${nameOf(known)} is not managed`, {
      hint: isReleased
        ? 'the person was released; `tdsync release --undo` manages it again'
        : 'list who is with `tdsync managed`',
    });
  }
  const names = new Map<string, string>([
    [organization, 'organization'],
    ...store.roles().map((role) => [role.sid, role.name] as const),
    ...(store.accounts() ?? []).map((account) => [account.sid, account.name] as const),
  ]);
  const grants = ledger.grantsOf(person.user).map((grant) => ({
    ...grant,
    roleName: names.get(grant.role) ?? grant.role,
    scopeName: names.get(grant.scope) ?? grant.scope,
  }));
  return { person, grants, decisions: ledger.entriesOf(person.user) };
}

function personLine(person: ManagedPerson): string {
  const { externalId, user, userName, active, origin, linkedAt, run } = person;
  const state = active === undefined ? ', gone from Twilio' : active ? '' : ', inactive';
  const who = `${printable(userName ?? user)} (${printable(externalId)})`;
  return `${who}  ${origin} ${when(linkedAt, run)}${state}`;
}

function detailsText({ person, grants, decisions }: Details): string {
  const sections = [
    `${personLine(person)}\nTwilio user ${person.user}`,
    grants.length === 0 ? 'No role is known.' : ['Roles', ...grants.map(grantLine)].join('\n'),
    decisions.length === 0 ? '' : ['Decided by people', ...decisions.map(decisionLine)].join('\n'),
  ];
  return `${sections.filter((each) => each !== '').join('\n\n')}\n`;
}

function grantLine({ roleName, scopeName, origin, recordedAt, run, held }: NamedLedgerGrant): string {
  const how = {
    granted: `granted ${when(recordedAt, run)}`,
    found: `given in Twilio, and by a rule too: taken over ${when(recordedAt, run)}`,
    'by-hand': 'given in Twilio',
  }[origin];
  return `  ${printable(roleName)} in ${printable(scopeName)}  ${how}${held ? '' : ', no longer in Twilio'}`;
}

function decisionLine({ at, action, externalId, newExternalId, doneBy, host, reason }: LedgerEntry): string {
  const to = newExternalId === undefined ? '' : ` to ${printable(newExternalId)}`;
  const why = reason === undefined ? '' : `: ${printable(reason)}`;
  const what = `${action} ${printable(externalId)}${to}`;
  return `  ${new Date(at).toISOString()}  ${what}, by ${printable(doneBy)} on ${printable(host)}${why}`;
}

/** Times in ISO 8601. */
function when(at: number | undefined, run: string | undefined): string {
  if (at === undefined) return 'by an earlier run';
  return `${new Date(at).toISOString()} by ${run === undefined ? 'an earlier run' : `run ${run}`}`;
}
