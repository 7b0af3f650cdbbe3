/** Runs against a directory that cannot be read to its end: exit 5, a message that helps, and nothing touched. */
import { appendFileSync } from 'node:fs';
import { expect } from 'vitest';
import { exitCodeOf } from '../../src/cli/exit-codes.ts';
import { SourceError } from '../../src/errors.ts';
import { openSnapshot } from '../../src/store/snapshot.ts';
import { reconcileInProcess } from './in-process.ts';
import { pictureOf } from './organization.ts';
import type { World } from './world.ts';

export interface Expected {
  /** Either when left out. */
  readonly code?: 'source-unavailable' | 'source-incomplete';
  /** Each is in the message. */
  readonly says: readonly (string | RegExp)[];
  readonly hint: string | RegExp;
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** What a plan is computed from, besides the mirror of Twilio. */
function knownToSnapshot(world: World): unknown {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'read', undefined);
  const { store } = snapshot;
  return {
    links: [...store.links()],
    grants: [...store.grantRecords()],
    absences: store.absences(),
    parked: [...store.parked()],
    read: store.lastCompleteRead(),
  };
}

function lastRun(world: World): unknown {
  using snapshot = openSnapshot(world.path('tdsync.db'), 'read', undefined);
  return snapshot.history.runs(1)[0];
}

/** `name` and `server` name the row of the table that TDSYNC_COMPLETENESS_TABLE asks for. */
export async function expectIncompleteRun(
  world: World,
  server: string,
  name: string,
  expected: Expected,
): Promise<void> {
  const picture = pictureOf(world.twilio);
  const known = knownToSnapshot(world);
  world.twilio.requests.clear();

  const { code, report, error } = await reconcileInProcess(world);

  record(server, name, code, error);
  expect(code, error?.message ?? 'the read was taken for complete').toBe(5);
  expectMessage(error, expected);
  expect(report?.operations ?? []).toEqual([]);
  expect(world.twilio.requests.writes).toBe(0);
  expect(pictureOf(world.twilio)).toEqual(picture);
  expect(knownToSnapshot(world)).toEqual(known);
  expect(lastRun(world)).toMatchObject({ status: 'failed', error: { code: error?.code } });
}

/** The same for a read that a test follows itself, so that no run stands around it. */
export function expectIncompleteRead(server: string, name: string, error: Error, expected: Expected): void {
  if (!(error instanceof SourceError)) throw error;
  record(server, name, exitCodeOf(error), error);
  expect(exitCodeOf(error)).toBe(5);
  expectMessage(error, expected);
}

function expectMessage(error: Told | undefined, { code, says, hint }: Expected): void {
  expect(code === undefined ? ['source-unavailable', 'source-incomplete'] : [code]).toContain(error?.code);
  for (const part of says) {
    if (typeof part === 'string') expect(error?.message).toContain(part);
    else expect(error?.message).toMatch(part);
  }
  if (typeof hint === 'string') expect(error?.hint).toContain(hint);
  else expect(error?.hint).toMatch(hint);
}

/** A line of JSON for each row, where somebody wants to see the table. */
function record(server: string, name: string, exit: number, error: Told | undefined): void {
  const file = process.env.TDSYNC_COMPLETENESS_TABLE;
  if (file === undefined) return;
  appendFileSync(file, `${JSON.stringify({ server, case: name, exit, message: error?.message, hint: error?.hint })}\n`);
}
