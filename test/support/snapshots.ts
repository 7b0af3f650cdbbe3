/** Snapshots in temporary folders, plans to record in them, and other processes that use them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Operation, WriteOperation } from '../../src/domain/operation.ts';
import type { Finding, Plan, Verdict } from '../../src/domain/plan.ts';
import type { RunEnd, RunStart } from '../../src/ports.ts';
import { openSnapshot, type Snapshot } from '../../src/store/snapshot.ts';
import { externalId, organization, userSid } from './builders.ts';

/** 2026-11-24T09:15:00Z. */
export const morning = Date.UTC(2026, 10, 24, 9, 15);

/** A folder that goes when the test has finished. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tdsync-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A path in a folder of its own, where no snapshot is yet. */
export function snapshotPath(): string {
  return join(temporaryFolder(), 'tdsync.db');
}

export function open(path: string, mode: 'write' | 'read' = 'write'): Snapshot {
  const snapshot = openSnapshot(path, mode, organization);
  onTestFinished(() => snapshot.close());
  return snapshot;
}

export function startOf(over: Partial<RunStart> = {}): RunStart {
  const who = { command: 'reconcile', host: 'sync-1', pid: 42, user: 'tdsync' };
  return { ...who, at: morning, allowances: [], configuration: 'c'.repeat(64), version: '0.1.0', ...over };
}

export function endOf(over: Partial<RunEnd> = {}): RunEnd {
  return { status: 'applied', at: morning + 60_000, findings: [], calls: {}, ...over };
}

export function update(id: string, user: number, after = 'New Name'): WriteOperation {
  return {
    kind: 'update',
    id: `update ${id}`,
    externalId: externalId(id),
    userName: `${id}@corp.example`,
    reason: 'changed-upstream',
    user: userSid(user),
    changes: [{ attribute: 'displayName', before: 'Old Name', after }],
    activate: false,
  };
}

export function finding(id: string, message = `${id} has no address`): Finding {
  return { code: 'invalid', externalId: externalId(id), message };
}

export function planOf(operations: readonly Operation[], over: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    basis: { configuration: 'c', source: 's', twilio: 't' },
    operations,
    findings: [],
    counts: { entries: 3, inScope: 2, managed: 2, unchanged: 1, gone: 0, unmanaged: 0 },
    digest: 'd'.repeat(64),
    ...over,
  };
}

export const allowed: Verdict = { allowed: true, guards: [] };
export const refused: Verdict = {
  allowed: false,
  guards: [{ guard: 'deactivations', measured: 30, limit: 25, passed: false, message: '30 of at most 25' }],
};

/** A child process that runs one of the actions of snapshot-process.ts, and the lines that it prints. */
export interface Actor {
  readonly process: ChildProcess;
  /** The next line; rejects when the process ends before it. */
  line(): Promise<string>;
  /** Resolves with the signal or exit code. */
  readonly ended: Promise<string | number | null>;
}

const script = fileURLToPath(new URL('./snapshot-process.ts', import.meta.url));

export function act(action: string, path: string, options: { readonly uid?: number } = {}): Actor {
  const child = spawn(process.execPath, [script, action, path], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid !== undefined && { uid: options.uid, gid: options.uid }),
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    process: child,
    async line() {
      const next = await lines.next();
      if (next.done) throw new Error(`${action} ended without a line: ${errors}`);
      return next.value;
    },
    ended: new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code))),
  };
}
