import { describe, expect, test } from 'vitest';
import { InternalError } from '../../src/errors.ts';
import { externalId, link, twilioUser, userSid } from '../support/builders.ts';
import {
  act,
  allowed,
  endOf,
  finding,
  morning,
  open,
  planOf,
  refused,
  snapshotPath,
  startOf,
  update,
} from '../support/snapshots.ts';

describe('a run', () => {
  test('has an id that sorts by time and is its own, also within a second', () => {
    const { journal } = open(snapshotPath());

    const ids = [morning, morning, morning + 400, morning + 1_000, morning - 86_400_000].map((at) =>
      journal.start(startOf({ at })),
    );

    expect(ids).toEqual([
      '20261124T091500Z-001',
      '20261124T091500Z-002',
      '20261124T091500Z-003',
      '20261124T091501Z-001',
      '20261123T091500Z-001',
    ]);
  });

  test('is running until it ends, and interrupted when the next one starts first', () => {
    const { journal, history } = open(snapshotPath());
    const first = journal.start(startOf());
    expect(history.lastRun()).toMatchObject({ id: first, status: 'running' });

    const second = journal.start(startOf());
    journal.end(second, endOf({ status: 'converged' }));

    expect(history.runs(5).map(({ id, status, endedAt }) => [id, status, endedAt])).toEqual([
      [second, 'converged', morning + 60_000],
      [first, 'interrupted', undefined],
    ]);
  });

  test('that is not in the snapshot cannot be planned or ended', () => {
    const { journal } = open(snapshotPath());

    expect(() => journal.planned('20260101T000000Z-001', planOf([]), allowed, planOf([]), morning)).toThrow(
      InternalError,
    );
    expect(() => journal.end('20260101T000000Z-001', endOf())).toThrow(InternalError);
  });
});

describe('an operation', () => {
  test('goes from intent to outcome once, and is never written over', () => {
    const { journal, history } = open(snapshotPath());
    const run = journal.start(startOf());
    const operation = update('emp-1', 1);
    journal.planned(run, planOf([operation]), allowed, planOf([operation]), morning);

    journal.intend(run, operation, 1);
    journal.complete(run, operation, { state: 'done', requestId: 'RQ1' }, [], 2);

    expect(() => journal.intend(run, operation, 3)).toThrow(InternalError);
    expect(() => journal.complete(run, operation, { state: 'already' }, [], 3)).toThrow(InternalError);
    expect(() => journal.intend(run, update('emp-2', 2), 3)).toThrow('cannot intend update emp-2: it is not open');
    expect(history.run(run)?.operations).toEqual([
      {
        operation,
        state: 'done',
        outcome: { state: 'done', requestId: 'RQ1' },
        intendedAt: 1,
        finishedAt: 2,
        checkedBy: undefined,
      },
    ]);
  });

  test('leaves neither outcome nor effect when one effect cannot be stored', () => {
    const { journal, store, history } = open(snapshotPath());
    const run = journal.start(startOf());
    const operation = update('emp-1', 1);
    journal.planned(run, planOf([operation]), allowed, planOf([operation]), morning);
    journal.intend(run, operation, 1);

    const complete = () =>
      journal.complete(
        run,
        operation,
        { state: 'done' },
        [
          { effect: 'user', user: twilioUser(1, 'emp-1'), resource: '{}' },
          { effect: 'linked', link: link('emp-1', 1), origin: 'created' },
          { effect: 'linked', link: link('emp-2', 1), origin: 'adopted' },
        ],
        2,
      );

    expect(complete).toThrow('emp-1 is linked to it');
    expect([...store.links()]).toEqual([]);
    expect(store.resource(userSid(1))).toBeUndefined();
    expect(history.run(run)?.operations[0]?.state).toBe('intended');
  });
});

describe('an operation whose outcome was never recorded', () => {
  test('is listed when its process was killed, until a later run carries out a plan', async () => {
    const path = snapshotPath();
    const killed = act('intend', path);
    const died = await killed.line();
    killed.process.kill('SIGKILL');
    await killed.ended;

    const { store, journal, history } = open(path);
    expect(store.unfinished().map(({ id }) => id)).toEqual(['deactivate emp-1']);

    const failed = journal.start(startOf());
    journal.end(failed, endOf({ status: 'failed', error: { code: 'source-unavailable', message: 'no route' } }));
    expect(store.unfinished()).toHaveLength(1);

    const held = journal.start(startOf());
    journal.planned(held, planOf([]), refused, undefined, morning);
    journal.end(held, endOf({ status: 'refused' }));
    expect(store.unfinished()).toHaveLength(1);

    const run = journal.start(startOf());
    expect(store.unfinished()).toHaveLength(1);
    journal.planned(run, planOf([]), allowed, planOf([]), morning);

    expect(store.unfinished()).toEqual([]);
    expect(history.run(died)).toMatchObject({
      summary: { status: 'interrupted', operations: { deactivate: { intended: 1 } } },
      operations: [{ state: 'intended', outcome: undefined, checkedBy: run }],
    });
  });

  test('is listed to a dry run, which started no run of its own', async () => {
    const path = snapshotPath();
    const killed = act('intend', path);
    await killed.line();
    killed.process.kill('SIGKILL');
    await killed.ended;

    const { store } = open(path, 'read');

    expect(store.unfinished()).toHaveLength(1);
  });

  test('is listed when Twilio never answered and the run ended, but not to the run itself', () => {
    const { store, journal } = open(snapshotPath());
    const run = journal.start(startOf());
    journal.planned(
      run,
      planOf([update('emp-1', 1), update('emp-2', 2)]),
      allowed,
      planOf([update('emp-1', 1), update('emp-2', 2)]),
      morning,
    );

    journal.intend(run, update('emp-1', 1), 1);
    expect(store.unfinished()).toEqual([]);
    journal.end(run, endOf({ status: 'partial' }));

    expect(store.unfinished()).toEqual([update('emp-1', 1)]);
  });
});

describe('the end of a run', () => {
  test('replaces the absences when it brings any, and leaves them else', () => {
    const { store, journal, history } = open(snapshotPath());
    const counts = new Map([
      [externalId('emp-1'), 1],
      [externalId('emp-2'), 2],
    ]);

    journal.end(journal.start(startOf()), endOf({ absences: counts }));
    journal.end(journal.start(startOf()), endOf({ status: 'refused' }));
    expect(store.absences()).toEqual(counts);
    expect(history.pendingAbsences()).toBe(2);

    journal.end(journal.start(startOf()), endOf({ absences: new Map([[externalId('emp-3'), 1]]) }));
    expect(store.absences()).toEqual(new Map([[externalId('emp-3'), 1]]));
  });

  test('stores the size of the read when it was a good one', () => {
    const { store, journal } = open(snapshotPath());
    const read = { entries: 120, inScope: 80 };
    expect(store.lastCompleteRead()).toBeUndefined();

    journal.end(journal.start(startOf()), endOf({ status: 'converged', read }));
    journal.end(journal.start(startOf()), endOf({ status: 'partial', read: { entries: 1, inScope: 1 } }));
    journal.end(journal.start(startOf()), endOf({ status: 'applied' }));

    expect(store.lastCompleteRead()).toEqual(read);
  });

  test('adds to the findings of the plan only those that are new', () => {
    const { journal, history } = open(snapshotPath());
    const run = journal.start(startOf());
    journal.planned(
      run,
      planOf([], { findings: [finding('emp-1'), finding('emp-2')] }),
      allowed,
      planOf([], { findings: [finding('emp-1'), finding('emp-2')] }),
      morning,
    );

    journal.end(run, endOf({ findings: [finding('emp-2'), finding('emp-3')] }));

    expect(history.openFindings()).toEqual([finding('emp-1'), finding('emp-2'), finding('emp-3')]);
    expect(history.lastRun()?.findings).toBe(3);
  });
});

test('a refused plan of many operations costs no row for each of them', () => {
  const snapshot = open(snapshotPath());
  const operations = Array.from({ length: 500 }, (_, i) => update(`emp-${i}`, i));
  const run = snapshot.journal.start(startOf());

  snapshot.journal.planned(run, planOf(operations), refused, undefined, morning);
  snapshot.journal.end(run, endOf({ status: 'refused' }));

  expect(snapshot.history.operationsOf(externalId('emp-1'), 10)).toEqual([]);
  expect(snapshot.history.run(run)?.operations.map(({ operation }) => operation)).toEqual(operations);
  expect(snapshot.history.run(run)?.summary.operations).toEqual({ update: { pending: 500 } });
});
