import { expect, test } from 'vitest';
import type { Operation } from '../../src/domain/operation.ts';
import { release } from '../../src/store/ledger.ts';
import { migrations } from '../../src/store/migrations/index.ts';
import { openForWriting } from '../../src/store/open-for-writing.ts';
import type { Snapshot } from '../../src/store/snapshot.ts';
import { externalId, organization, userSid } from '../support/builders.ts';
import { allowed, endOf, morning, open, planOf, snapshotPath, startOf, update } from '../support/snapshots.ts';

const act = { at: morning, user: 'op', host: 'h', reason: 'mended' };
const grants: readonly Operation[] = ['developer', 'support'].map((role) => ({
  kind: 'grant',
  id: `grant ann ${role}`,
  externalId: externalId('ann'),
  userName: 'ann@corp.example',
  reason: 'entitled',
  user: null,
  grant: { role, scope: 'scope', roleName: role, scopeName: 'scope' } as never,
  because: 'everybody',
  after: 'create ann',
}));
const create: Operation = {
  kind: 'create',
  id: 'create ann',
  externalId: externalId('ann'),
  userName: 'ann@corp.example',
  reason: 'new',
  changes: [],
};

/** A run in which the named operations were done and the others never begun. */
function run(snapshot: Snapshot, operations: readonly Operation[], done: readonly string[]): void {
  const { journal } = snapshot;
  const id = journal.start(startOf());
  const plan = planOf(operations);
  journal.planned(id, plan, allowed, plan, morning);
  for (const operation of operations) {
    if (!done.includes(operation.id)) continue;
    journal.intend(id, operation, morning);
    journal.complete(id, operation, { state: 'done' }, [], morning);
  }
  journal.end(id, endOf());
}

test('grants are owed to whom a run created and did not come to give them, until a later run has', () => {
  const snapshot = open(snapshotPath());

  run(snapshot, [create, ...grants], ['create ann', 'grant ann developer']);
  expect([...snapshot.store.owedGrants()]).toEqual(['grant ann support']);

  const { after: _after, ...later } = grants[1] as Extract<Operation, { kind: 'grant' }>;
  run(snapshot, [later], ['grant ann support']);
  expect([...snapshot.store.owedGrants()]).toEqual([]);
});

test('nothing is owed to somebody whose creation failed', () => {
  const snapshot = open(snapshotPath());

  run(snapshot, [create, ...grants], []);

  expect([...snapshot.store.owedGrants()]).toEqual([]);
});

test('a ledger of an older version is taken over row by row, and its proof still holds', () => {
  const path = snapshotPath();
  const { database } = openForWriting(path, organization, migrations.slice(0, 10));
  database.connection.exec(
    `INSERT INTO links (external_id, user, origin, since) VALUES ('ann', '${userSid(1)}', 'created', 50)`,
  );
  release(database, externalId('ann'), act);
  database.connection.close();

  const { ledger, audit } = open(path);

  expect(ledger.entries(9)).toMatchObject([{ action: 'release', externalId: 'ann', user: userSid(1), doneBy: 'op' }]);
  expect(audit.verify()).toMatchObject({ verified: true, records: 1, problem: undefined });
});

test('a breaker that closes makes due whom it caught, and nobody who was refused before', () => {
  const snapshot = open(snapshotPath());
  const { journal, store, quarantine } = snapshot;
  const id = journal.start(startOf());
  const operations = [update('ann', 1), update('ben', 2)];
  const plan = planOf(operations);
  journal.planned(id, plan, allowed, plan, morning);
  const [first, second] = operations as [Operation, Operation];
  const failed = { state: 'failed', code: 'twilio-rejected', message: 'no' } as const;
  const parked = { record: 'r', code: 'parked', message: 'no', attempts: 1, retryAt: morning + 9_000 } as const;
  const breaker = { since: 100, at: 200, attempts: 1, run: id, kinds: ['update'], causes: [] } as const;
  journal.intend(id, first, morning);
  journal.complete(
    id,
    first,
    failed,
    [{ effect: 'parked', parked: { ...parked, externalId: externalId('ann'), since: 99 } }],
    99,
  );
  journal.intend(id, second, morning);
  journal.complete(
    id,
    second,
    failed,
    [
      { effect: 'parked', parked: { ...parked, externalId: externalId('ben'), since: 100 } },
      { effect: 'breaker-tripped', breaker },
    ],
    100,
  );
  expect(store.breaker()).toEqual(breaker);

  quarantine.release({ people: [], blocks: [], breaker: true }, act);

  expect(store.breaker()).toBeUndefined();
  expect([...store.parked()].map(({ externalId: who, retryAt }) => [who, retryAt])).toEqual([
    ['ann', morning + 9_000],
    ['ben', morning],
  ]);
  expect(quarantine.list().people).toMatchObject([{ userName: 'ann@corp.example' }, { userName: 'ben@corp.example' }]);
  expect(snapshot.ledger.entries(1)).toMatchObject([{ action: 'lift', externalId: 'breaker', reason: 'mended' }]);
});
