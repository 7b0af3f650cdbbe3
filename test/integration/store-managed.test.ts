import { expect, test } from 'vitest';
import { migrations } from '../../src/store/migrations/index.ts';
import { openForWriting } from '../../src/store/open-for-writing.ts';
import {
  administrator,
  assignment,
  developer,
  externalId,
  mainAccount,
  organization,
  support,
  twilioUser,
  userSid,
} from '../support/builders.ts';
import { allowed, endOf, morning, open, planOf, snapshotPath, startOf, update } from '../support/snapshots.ts';

/** A snapshot as schema 8 left it: two links, three grants of our own, and the run of one of each in the history. */
function olderSnapshot(): string {
  const path = snapshotPath();
  const { database } = openForWriting(path, organization, migrations.slice(0, 8));
  const { connection } = database;
  connection.exec(`
INSERT INTO runs (seq, id, command, host, pid, user, allowances_json, started_at) VALUES (1, 'first', 'reconcile', 'h', 1, 'u', '[]', 1);
INSERT INTO links VALUES ('ann', '${userSid(1)}', 'created', 50), ('ben', '${userSid(2)}', 'adopted', 60);`);
  const grant = { role: developer, scope: mainAccount };
  const operation = connection.prepare(
    `INSERT INTO operations (run, id, external_id, kind, operation_json, state, finished_at) VALUES (1, ?, 'ann', ?, ?, 'done', ?)`,
  );
  operation.run('create ann', 'create', '{}', 50);
  operation.run('grant ann', 'grant', JSON.stringify({ grant }), 55);
  const assigned = connection.prepare('INSERT INTO assignments VALUES (?, ?, ?, ?)');
  const own = connection.prepare('INSERT INTO own_grants VALUES (?, ?, ?)');
  const held = [assignment(1, 1), assignment(4, 1), assignment(2, 2, { role: support, scope: mainAccount })];
  for (const { sid, user, role, scope } of held) assigned.run(sid, user, role, scope);
  own.run(userSid(1), developer, mainAccount);
  own.run(userSid(2), support, mainAccount);
  own.run(userSid(2), administrator, mainAccount); // Twilio does not show it
  connection.close();
  return path;
}

test('a snapshot of an older version learns from its history which run made what, and keeps what is ours', () => {
  const { store, ledger } = open(olderSnapshot());

  expect([...store.grantRecords()]).toEqual([
    { ...assignment(1, 1), origin: 'granted' },
    { ...assignment(2, 2, { role: support, scope: mainAccount }), origin: 'granted' },
  ]);
  expect([...ledger.managed()]).toMatchObject([
    { externalId: 'ann', origin: 'created', linkedAt: 50, run: 'first' },
    { externalId: 'ben', origin: 'adopted', linkedAt: 60, run: undefined },
  ]);
  expect(ledger.grantsOf(userSid(1))).toMatchObject([
    { assignment: assignment(1, 1).sid, origin: 'granted', recordedAt: 55, run: 'first', held: true },
    { assignment: assignment(4, 1).sid, origin: 'by-hand', recordedAt: undefined, run: undefined, held: true },
  ]);
  expect(ledger.grantsOf(userSid(2))).toMatchObject([{ origin: 'granted', recordedAt: undefined, held: true }]);
});

test('links and roles name the run that made them, and the user as last seen in Twilio', () => {
  const { journal, ledger } = open(snapshotPath());
  const operation = update('ann', 1);
  const run = journal.start(startOf());
  journal.planned(run, planOf([operation]), allowed, planOf([operation]), morning);
  journal.intend(run, operation, morning);
  const link = { externalId: externalId('ann'), user: userSid(1) };

  journal.complete(
    run,
    operation,
    { state: 'done' },
    [
      { effect: 'user', user: twilioUser(1, 'ann', { active: false }), resource: '{}' },
      { effect: 'linked', link, origin: 'adopted' },
      { effect: 'assigned', assignment: assignment(1, 1), origin: 'found' },
    ],
    morning,
  );
  journal.end(run, endOf());

  const person = { ...link, userName: 'ann@corp.example', active: false, origin: 'adopted', linkedAt: morning, run };
  expect([...ledger.managed()]).toEqual([person]);
  expect(ledger.managedPerson(link.externalId)).toEqual(person);
  expect(ledger.managedPerson(externalId('ben'))).toBeUndefined();
  expect(ledger.grantsOf(userSid(1))).toMatchObject([{ origin: 'found', recordedAt: morning, run, held: true }]);
});
