import type { Database } from '../database.ts';
import { initial } from './0001-initial.ts';
import { approvals } from './0002-approvals.ts';
import { ledger } from './0003-ledger.ts';
import { listStretches } from './0004-list-stretches.ts';
import { sourceCache } from './0005-source-cache.ts';
import { audit } from './0006-audit.ts';
import { notices } from './0007-notices.ts';
import { seenEntries } from './0008-seen-entries.ts';
import { grantRecords } from './0009-grant-records.ts';
import { blocks } from './0010-blocks.ts';
import { quarantine } from './0011-quarantine.ts';
import { lastSeen } from './0012-last-seen.ts';
import { totals } from './0013-totals.ts';

/** One step of the schema. Runs in its own transaction, once per snapshot, and is never changed after a release. */
export interface Migration {
  /** Also SQLite's `user_version` after the step. */
  readonly version: number;
  readonly sql: string;
  /** What SQL alone cannot do, in the same transaction. */
  readonly fill?: (database: Database) => void;
}

/**
 * All steps in order: version n stands at index n - 1.
 */
export const migrations: readonly Migration[] = [
  initial,
  approvals,
  ledger,
  listStretches,
  sourceCache,
  audit,
  notices,
  seenEntries,
  grantRecords,
  blocks,
  quarantine,
  lastSeen,
  totals,
];

/** What this version of the program reads and writes. */
export const schemaVersion = migrations.length;
