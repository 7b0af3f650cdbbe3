/** The same proof for an exported file, without a snapshot: the chain, and every operation against the digest of its plan. */
import { hash } from 'node:crypto';
import { canonicalJson } from '../../domain/canonical-json.ts';
import type { OperationLine, RecordLine } from './export.ts';
import { type Digesting, digesting, inheritedText, type OperationsDigest } from './operations.ts';
import { hashOf, type Stretch } from './record.ts';
import { notFound, type Verification } from './verify.ts';

/** Takes the lines of a file in their order. */
export interface ExportVerifier {
  /** False when a line does not fit: nothing more is needed. */
  line(text: string): boolean;
  finish(): Verification;
}

/** A line as it stands in the file: times in ISO 8601. */
type InFile<Line> = Omit<Line, 'at'> & { readonly at: string };

interface OpenPlan {
  readonly run: string | null;
  readonly at: string;
  readonly content: Readonly<Record<string, unknown>>;
  readonly carriedOut: Digesting;
  readonly refused: Digesting;
}

/** `known`: the hash of a record that must be in the file. */
export function verifyExport(known: string | undefined): ExportVerifier {
  const runs = new Set<string>();
  const gaps: Stretch[] = [];
  const operations = new Map<string, string>();
  let removed: readonly Stretch[] = [];
  let plan: OpenPlan | undefined;
  let from: Verification['from'];
  let head: Verification['head'];
  let records = 0;
  let lines = 0;
  let inherited = 0;
  let isKnown = known === undefined;
  let problem: Verification['problem'];

  function record(line: InFile<RecordLine>): string | undefined {
    const { seq, run, kind, content, previous } = line;
    const at = Date.parse(line.at);
    if (hashOf(previous, { seq, at, run, kind, content: canonicalJson(content) }) !== line.hash) {
      return 'its hash does not fit: the line was changed';
    }
    if (head !== undefined) {
      if (seq <= head.seq) return `it stands after record ${head.seq}`;
      if (seq > head.seq + 1) gaps.push({ first: head.seq + 1, last: seq - 1, hash: previous });
      else if (previous !== head.hash) return 'it follows another record than the line before it';
    }
    from ??= { seq, at };
    head = { seq, hash: line.hash };
    records += 1;
    isKnown ||= line.hash === known || previous === known;
    if (run !== null) runs.add(run);
    if (kind === 'run-inherited') inherited += 1;
    if (kind === 'records-removed') removed = content.removed as readonly Stretch[];
    if (kind === 'plan-made' || kind === 'run-inherited') openPlan(line);
    return content.operation === undefined ? undefined : named(line);
  }

  function openPlan({ content, run, at }: InFile<RecordLine>): void {
    plan = { run, at, content, carriedOut: digesting(), refused: digesting() };
    operations.clear();
  }

  /** The operation beside a record is the one of the plan with the id in the record. */
  function named({ content, operation }: InFile<RecordLine>): string | undefined {
    const same = operation?.id === content.operation && operations.get(operation?.id ?? '') === textHash(operation);
    return same ? undefined : `its operation is not the one of the plan`;
  }

  function operation({ kind, operation: each, recorded, run, at }: InFile<OperationLine>): string | undefined {
    if (run !== plan?.run || at !== plan.at) return 'it is the operation of no plan before it';
    const text = JSON.stringify(each);
    if (kind === 'refused-operation') {
      plan.refused.add(text);
      return undefined;
    }
    if (plan.refused.count > 0) return 'it stands after what the plan wanted, not before';
    plan.carriedOut.add(recorded === undefined ? text : inheritedText(text, recorded));
    operations.set(each.id, textHash(each));
    return undefined;
  }

  /** When the next record has come, or the end. */
  function closePlan(): string | undefined {
    if (plan === undefined) return undefined;
    const { content } = plan;
    const [carriedOut, refused] = [plan.carriedOut.result(), plan.refused.result()];
    plan = undefined;
    const problem = differs(carriedOut, content.carriedOut as OperationsDigest);
    // A refused plan is kept for a while only.
    return problem ?? (refused.count === 0 ? undefined : differs(refused, content.operations as OperationsDigest));
  }

  function take(text: string): string | undefined {
    const line = parsed(text);
    if (line === undefined) return 'it is no line of an export';
    return isOperation(line) ? operation(line) : (closePlan() ?? record(line));
  }

  function atEnd(): string | undefined {
    const message = closePlan();
    if (message !== undefined) return message;
    const gap = gaps.find(({ first, last, hash: before }) => {
      return !removed.some((each) => each.first === first && each.last === last && each.hash === before);
    });
    if (gap !== undefined) return `records ${gap.first} to ${gap.last} are missing, and retention did not remove them`;
    if (records === 0) return 'the file holds no record';
    return isKnown ? undefined : notFound(known);
  }

  return {
    line(text) {
      lines += 1;
      const message = take(text);
      if (message !== undefined) problem = { seq: undefined, run: undefined, message: `line ${lines}: ${message}` };
      return problem === undefined;
    },
    finish() {
      const message = problem === undefined ? atEnd() : undefined;
      if (message !== undefined) problem = { seq: undefined, run: undefined, message };
      return { verified: problem === undefined, records, runs: runs.size, inherited, from, head, removed, problem };
    },
  };
}

function differs(found: OperationsDigest, wanted: OperationsDigest | undefined): string | undefined {
  if (found.count !== wanted?.count) return `the plan before it has ${found.count} of ${wanted?.count} operations`;
  return found.digest === wanted.digest ? undefined : 'the operations of the plan before it were changed';
}

function isOperation(line: InFile<RecordLine> | InFile<OperationLine>): line is InFile<OperationLine> {
  return line.kind === 'operation' || line.kind === 'refused-operation';
}

function textHash(operation: object | undefined): string {
  return hash('sha256', JSON.stringify(operation) ?? '', 'base64');
}

/** Undefined for anything else than a line of an export. */
function parsed(text: string): InFile<RecordLine> | InFile<OperationLine> | undefined {
  let value: Readonly<Record<string, unknown>> | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || typeof value.at !== 'string') return undefined;
  const kind: unknown = value.kind;
  if (kind === 'operation' || kind === 'refused-operation') {
    return typeof value.operation === 'object' && value.operation !== null
      ? (value as unknown as InFile<OperationLine>)
      : undefined;
  }
  const isRecord =
    Number.isSafeInteger(value.seq) &&
    typeof value.content === 'object' &&
    value.content !== null &&
    typeof value.previous === 'string';
  return isRecord ? (value as unknown as InFile<RecordLine>) : undefined;
}
