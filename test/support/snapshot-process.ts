/** What another process does to a snapshot: `node snapshot-process.ts ACTION PATH`. Prints one line when it is done with it. */
import { acquireLease } from '../../src/store/lease.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { organization, twilioUser } from './builders.ts';

const allowed = { allowed: true, guards: [] };
const operation = {
  kind: 'deactivate',
  id: 'deactivate emp-1',
  externalId: 'emp-1',
  userName: 'emp-1@corp.example',
  reason: 'absent',
  user: 'US1',
};

const actions: Readonly<Record<string, (path: string) => void>> = {
  lease(path) {
    const holder = { pid: process.pid, host: 'sync-1', command: 'daemon', since: Date.UTC(2026, 10, 24, 9, 15) };
    const lease = acquireLease(path, holder);
    console.log('held');
    // Held by the timer: a lease that nobody refers to ends when it is collected.
    setInterval(() => lease, 60_000);
  },
  /** Dies between intent and outcome, as by a power cut, when it is killed. */
  intend(path) {
    const { journal } = openSnapshot(path, 'write', organization);
    const run = journal.start({
      command: 'reconcile',
      at: 1,
      host: 'h',
      pid: 1,
      user: 'u',
      allowances: [],
      configuration: 'c',
      version: '0',
    });
    journal.planned(
      run,
      { operations: [operation], findings: [], counts: {}, digest: 'd' } as never,
      allowed,
      {
        operations: [operation],
        findings: [],
        counts: {},
        digest: 'd',
      } as never,
      1,
    );
    journal.intend(run, operation as never, 2);
    console.log(run);
    setInterval(() => {}, 60_000);
  },
  /** Opens for writing, stores user 1 and stays. */
  write(path) {
    const { store } = openSnapshot(path, 'write', organization);
    const refresh = store.refreshUsers();
    refresh.add(twilioUser(1, 'emp-1'), '{"id":1}');
    refresh.finish(1);
    console.log('written');
    setInterval(() => {}, 60_000);
  },
  open(path) {
    using snapshot = openSnapshot(path, 'write', organization);
    console.log(`managed ${snapshot.history.managed()}`);
  },
  /** Prints the names in the mirror, or the error. */
  read(path) {
    try {
      using snapshot = openSnapshot(path, 'read', organization);
      const names: string[] = [];
      snapshot.store.users((user) => names.push(user.attributes.userName));
      console.log(`read ${names.join(' ')}`);
    } catch (error) {
      console.log(String(error));
    }
  },
};

const [, , action = '', path = ''] = process.argv;
actions[action]?.(path);
