import { describe, expect, test } from 'vitest';
import { cellsOf, hour, otherValue, tamperWith, writeEventfulHistory } from '../support/eventful-history.ts';
import { allowed, endOf, morning, open, planOf, snapshotPath, startOf, update } from '../support/snapshots.ts';

const day = 24 * hour;

/** Three days with five runs each. */
function threeDays(path: string): void {
  for (const days of [0, 1, 2]) writeEventfulHistory(path, morning + days * day);
}

describe('retention', () => {
  test('removes the records of a run with the run, and what is left still follows', () => {
    const path = snapshotPath();
    threeDays(path);
    const snapshot = open(path);
    const before = snapshot.audit.verify();

    const pruned = snapshot.prune(morning + day, morning + 3 * day);
    const after = snapshot.audit.verify();

    expect([before.runs, pruned, after.runs]).toEqual([15, 5, 10]);
    // What people did in that time stays: an approval, its use, a release and its end.
    expect(after).toMatchObject({ verified: true, from: { at: morning + hour + 3 } });
    expect(after.removed).toHaveLength(3);
    expect(after.removed[0]).toEqual({ first: 1, last: (after.from?.seq ?? 0) - 1, hash: expect.any(String) });
    expect(after.head?.seq).toBe((before.head?.seq ?? 0) + 1);
    expect(snapshot.audit.verify(before.head?.hash).verified).toBe(true);
  });

  test('says again what is missing when it comes again, and forgets its own records in time', () => {
    const path = snapshotPath();
    threeDays(path);
    const snapshot = open(path);

    snapshot.prune(morning + hour, morning + 3 * day);
    snapshot.prune(morning + day, morning + 4 * day);
    writeEventfulHistory(path, morning + 200 * day);
    snapshot.prune(morning + 100 * day, morning + 200 * day);
    const { verified, removed, records } = snapshot.audit.verify();

    // Around what people did, in two places of each of the three days.
    expect([verified, removed.length]).toEqual([true, 7]);
    expect(snapshot.history.runs(99)).toHaveLength(5);
    const kinds = new Map<string, number>();
    snapshot.audit.export({}, ({ kind }) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
    expect(kinds.get('records-removed')).toBe(1);
    expect(records).toBeLessThan(50);
  });

  test('leaves a hole around a run that it spares', () => {
    const path = snapshotPath();
    const [, held] = writeEventfulHistory(path);
    const snapshot = open(path);
    for (const hours of [30, 31, 32]) {
      const run = snapshot.journal.start(startOf({ at: morning + hours * hour }));
      snapshot.journal.end(run, endOf({ status: 'failed' }));
    }

    snapshot.prune(morning + day, morning + 2 * day);
    const { verified, removed } = snapshot.audit.verify();

    expect(snapshot.history.runs(99).map(({ id }) => id)).toContain(held);
    expect([verified, removed.length]).toEqual([true, 3]);
  });

  test('spares a run that alone can tell what became of an operation of a run that stays', () => {
    const path = snapshotPath();
    const snapshot = open(path);
    const { journal } = snapshot;
    const unsure = journal.start(startOf());
    const plan = planOf([update('emp-1', 1)]);
    journal.planned(unsure, plan, allowed, plan, morning);
    journal.intend(unsure, update('emp-1', 1), morning);
    journal.end(unsure, endOf({ status: 'partial' }));
    const looking = journal.start(startOf());
    journal.planned(looking, planOf([]), allowed, undefined, morning); // and dies: the plan before stays the last of a run that ended
    const last = journal.start(startOf({ at: morning + day }));

    const pruned = snapshot.prune(morning + hour, morning + day);

    expect(pruned).toBe(0);
    expect(snapshot.history.runs(9).map(({ id }) => id)).toEqual([last, looking, unsure]);
    expect(snapshot.audit.verify().verified).toBe(true);
  });

  test('hides nothing: what was taken out by other hands is still missed', () => {
    const path = snapshotPath();
    threeDays(path);
    const { database } = tamperWith(path);
    database.connection.exec('DELETE FROM audit WHERE seq = 3');
    const snapshot = open(path);

    snapshot.prune(morning + hour / 2, morning + 3 * day);

    // Record 3 belonged to a run that is gone by now; the list of what retention removed leaves it out.
    expect(snapshot.audit.verify()).toMatchObject({ verified: false });
  });

  test('leaves every column proved that it leaves', () => {
    const path = snapshotPath();
    threeDays(path);
    open(path).prune(morning + day + 2 * hour, morning + 3 * day);
    const { database, tampered, verify } = tamperWith(path);
    const cells = cellsOf(database);

    const unnoticed = cells.filter(({ table, key, rowid, column, value }) => {
      const change = `UPDATE ${table} SET ${column} = ? WHERE ${key} = ?`;
      return tampered((db) => db.prepare(change).run(otherValue({ table, key, rowid, column, value }), rowid)).verified;
    });

    expect(verify().verified).toBe(true);
    expect(unnoticed.map(({ table, rowid, column }) => `${table} ${rowid} ${column}`)).toEqual([]);
  });
});
