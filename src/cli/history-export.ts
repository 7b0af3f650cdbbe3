/** How the lines of an exported history are written. Names and order of the columns are stable; new ones come at the end. */
import type { Operation } from '../domain/operation.ts';
import type { Outcome } from '../domain/run.ts';
import { escapedJson } from '../domain/visible-text.ts';
import { csvRow } from '../report/csv.ts';
import type { ExportLine } from '../store/audit/export.ts';

export type ExportFormat = 'jsonl' | 'csv';

/** Everything, in the form that `runs verify FILE` proves. */
export function jsonLine({ at, ...line }: ExportLine): string {
  return `${escapedJson(JSON.stringify({ at: new Date(at).toISOString(), ...line }))}\n`;
}

const columns = [
  'seq',
  'time',
  'run',
  'record',
  'operation',
  'externalId',
  'userName',
  'reason',
  'user',
  'changes',
  'role',
  'scope',
  'outcome',
  'code',
  'message',
  'requestId',
  'by',
  'digest',
  'content',
  'hash',
] as const;

export const csvHeader = csvRow(columns);

/** For reading: what a record is about in columns of its own. A guarded cell differs from the record, so it proves nothing. */
export function csvLine(line: ExportLine): string {
  const { at, run, kind } = line;
  const content: Readonly<Record<string, unknown>> = 'content' in line ? line.content : {};
  const outcome = (content.outcome ?? {}) as Partial<Extract<Outcome, { state: 'failed' }>>;
  const became = 'recorded' in line ? (line.recorded ?? outcome) : outcome;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  const cells: Readonly<Partial<Record<(typeof columns)[number], string | number | undefined | null>>> = {
    seq: 'seq' in line ? line.seq : undefined,
    time: new Date(at).toISOString(),
    run,
    record: kind,
    ...(kind === 'ledger' ? ledgerCells(content) : operationCells(line.operation)),
    outcome: text(became.state) ?? text(content.status),
    code: became.code ?? text(content.errorCode),
    message: became.message ?? text(content.errorMessage) ?? text(content.reason),
    requestId: became.requestId,
    by: text(content.host) && `${content.doneBy ?? content.user}@${content.host}`,
    digest: text(content.digest) ?? text(content.configuration),
    content: 'content' in line ? JSON.stringify(content) : undefined,
    hash: 'hash' in line ? line.hash : undefined,
  };
  return csvRow(columns.map((column) => cells[column]));
}

/** What a person did. */
function ledgerCells({ action, externalId, newExternalId, user }: Readonly<Record<string, unknown>>) {
  const changes = typeof newExternalId === 'string' ? `externalId: ${externalId} → ${newExternalId}` : undefined;
  return {
    operation: String(action),
    externalId: String(externalId),
    user: typeof user === 'string' ? user : undefined,
    changes,
  };
}

function operationCells(operation: Operation | undefined) {
  const changes = operation !== undefined && 'changes' in operation ? operation.changes : [];
  const grant = operation !== undefined && 'grant' in operation ? operation.grant : undefined;
  return {
    operation: operation?.kind,
    externalId: operation?.externalId,
    userName: operation?.userName,
    reason: operation?.reason,
    user: operation !== undefined && 'user' in operation ? operation.user : undefined,
    changes: changes
      .map(({ attribute, before, after }) => `${attribute}: ${before ?? '(empty)'} → ${after}`)
      .join('; '),
    role: grant?.roleName,
    scope: grant?.scopeName,
  };
}
