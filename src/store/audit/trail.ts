import type { Database } from '../database.ts';
import { head } from './chain.ts';
import { type ExportChoice, type ExportLine, exportRecords } from './export.ts';
import type { Anchor } from './record.ts';
import { type Verification, verifyAudit } from './verify.ts';

/** Questions to the audit trail. Nothing here changes it; all of it works while another process writes. */
export interface AuditTrail {
  /** The last record. Its hash, kept elsewhere, proves later that nothing up to it was changed. */
  head(): Anchor | undefined;
  /** `known`: the hash of a record that must be in the chain. */
  verify(known?: string): Verification;
  /** Calls back with every line; false when there is no such run. */
  export(choice: ExportChoice, onLine: (line: ExportLine) => void): boolean;
}

export function openAuditTrail(database: Database): AuditTrail {
  /** One view of the file from the first question to the last. */
  function ask<Result>(action: string, question: () => Result): Result {
    return database.read(action, () => database.connection.transaction(question).deferred());
  }
  return {
    head: () => database.read('read the head of the history', () => head(database)),
    verify: (known) => ask('verify the history', () => verifyAudit(database, known)),
    export: (choice, onLine) => ask('export the history', () => exportRecords(database, choice, onLine)),
  };
}
