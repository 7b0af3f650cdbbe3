import { expect, test } from 'vitest';
import { entry, externalId } from '../support/builders.ts';
import { endOf, morning, open, snapshotPath, startOf } from '../support/snapshots.ts';

const ann = externalId('ann');
const hour = 3_600_000;

/** A run at this hour that saw these people for the first time, or as changed, and missed those. */
function see(
  snapshot: ReturnType<typeof open>,
  at: number,
  mail: string | undefined,
  missing: readonly string[],
): string {
  const run = snapshot.journal.start(startOf({ at }));
  const entries = mail === undefined ? [] : [{ entry: entry('ann', { mail }), hash: at }];
  snapshot.journal.saw(run, { entries, missing: missing.map(externalId) }, at);
  snapshot.journal.end(run, endOf({ at }));
  return run;
}

test('whoever is missing keeps the last entry and the run that missed it first, and is not among the kept ones', () => {
  const snapshot = open(snapshotPath());
  const { store } = snapshot;
  const first = see(snapshot, morning, 'ann@corp.example', []);
  const second = see(snapshot, morning + hour, undefined, ['ann']);
  see(snapshot, morning + 2 * hour, undefined, ['ann']);

  expect(store.seenEntry(ann)).toBeUndefined();
  expect(store.seenHashes().size).toBe(0);
  expect(store.missingEntry(ann)).toMatchObject({
    entry: { id: 'ann', attributes: { mail: 'ann@corp.example' } },
    run: first,
    at: morning,
    missing: { run: second, at: morning + hour },
  });
  expect(store.seenWith('ann@corp.example')).toEqual(['ann']);
});

test('whoever is back is kept as seen, once', () => {
  const snapshot = open(snapshotPath());
  const { store } = snapshot;
  see(snapshot, morning, 'ann@corp.example', []);
  see(snapshot, morning + hour, undefined, ['ann']);

  const back = see(snapshot, morning + 2 * hour, 'ann@corp.example', []);

  expect(store.missingEntry(ann)).toBeUndefined();
  expect(store.seenEntry(ann)?.run).toBe(back);
  expect(store.seenWith('ann@corp.example')).toEqual(['ann']);
});

test('what was missing before the time that runs are kept for is forgotten, linked or not', () => {
  const snapshot = open(snapshotPath());
  see(snapshot, morning, 'ann@corp.example', []);
  see(snapshot, morning + hour, undefined, ['ann']);

  snapshot.prune(morning + hour, morning + 3 * hour);
  expect(snapshot.store.missingEntry(ann)).toBeDefined();
  snapshot.prune(morning + hour + 1, morning + 3 * hour);
  expect(snapshot.store.missingEntry(ann)).toBeUndefined();
});
