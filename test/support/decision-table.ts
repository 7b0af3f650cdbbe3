/**
 * The decision table, computed: every situation is planned under every combination of policies, and policies that make no
 * difference are left out again, so that a person can read what is left.
 *
 * | step     | what happens                                                                                     |
 * |----------|--------------------------------------------------------------------------------------------------|
 * | plan     | the engine plans the situation under all 216 combinations; a cell is the operations and findings  |
 * | split    | by the policy that leaves the fewest rows; values with the same rest share a row                  |
 * | print    | a row for each way the policies can make a difference, a column for each mode                     |
 */
import type { Operation } from '../../src/domain/operation.ts';
import type { Finding } from '../../src/domain/plan.ts';
import type { Policy } from '../../src/domain/rules.ts';
import { makePlan } from '../../src/engine/planner.ts';
import { rules } from './builders.ts';
import { type Given, inputFor } from './planning.ts';

export interface Situation {
  /** As the table says it, after the heading of its group. */
  readonly is: string;
  readonly given: Given;
}

export const modes = ['sync', 'upsert-only', 'create-only'] as const;
const values = {
  leavers: ['deactivate', 'revoke-only', 'report'],
  confirmAbsence: [1, 2, 3],
  drift: ['overwrite', 'report'],
  adoptExisting: [true, false],
  recreateGone: [false, true],
} as const;
type Choice = keyof typeof values;
const choices = Object.keys(values) as Choice[];

type Chosen = Readonly<Partial<Record<Choice, Policy[Choice]>>>;

/** One row: the policies that lead to it, by name the values that do, and a cell for each mode. */
export interface Row {
  readonly when: ReadonlyMap<Choice, readonly Policy[Choice][]>;
  readonly cells: readonly string[];
}

/** Every combination of the policies but the mode, each once. */
export function* combinations(): Generator<Required<Chosen>> {
  yield* expand({}, choices) as Generator<Required<Chosen>>;
}

function* expand(chosen: Chosen, open: readonly Choice[]): Generator<Chosen> {
  const [next, ...rest] = open;
  if (next === undefined) yield chosen;
  else for (const value of values[next]) yield* expand({ ...chosen, [next]: value }, rest);
}

/** The rows of a situation: as few as tell all 216 combinations apart. */
export function rowsOf({ given }: Situation): readonly Row[] {
  const input = inputFor(given);
  const base = (given.rules ?? rules()).policy;
  const known = new Map<string, readonly string[]>();
  for (const chosen of combinations()) {
    const cells = modes.map((mode) => {
      const { plan } = makePlan({ ...input, policy: { ...base, ...chosen, mode } as Policy });
      return cellOf(plan.operations, plan.findings);
    });
    known.set(keyOf(chosen), cells);
  }
  return split({}, choices, known);
}

/** A situation and what was chosen already: one row when the rest makes no difference, else the split with the fewest rows. */
function split(chosen: Chosen, open: readonly Choice[], known: ReadonlyMap<string, readonly string[]>): readonly Row[] {
  const all = [...expand(chosen, open)].map((each) => known.get(keyOf(each)) ?? []);
  const [first = []] = all;
  if (all.every((cells) => cells.join('|') === first.join('|'))) return [{ when: new Map(), cells: first }];
  const [fewest = []] = open.map((choice) => splitBy(choice, chosen, open, known)).sort((a, b) => a.length - b.length);
  return fewest;
}

function splitBy(
  choice: Choice,
  chosen: Chosen,
  open: readonly Choice[],
  known: ReadonlyMap<string, readonly string[]>,
): readonly Row[] {
  const rest = open.filter((each) => each !== choice);
  const branches = new Map<string, { readonly values: Policy[Choice][]; readonly rows: readonly Row[] }>();
  for (const value of values[choice]) {
    const rows = split({ ...chosen, [choice]: value }, rest, known);
    const same = JSON.stringify(rows.map(({ when, cells }) => [[...when], cells]));
    const branch = branches.get(same);
    if (branch === undefined) branches.set(same, { values: [value], rows });
    else branch.values.push(value);
  }
  return [...branches.values()].flatMap(({ values: shared, rows }) =>
    shared.length === values[choice].length
      ? rows
      : rows.map(({ when, cells }) => ({ when: new Map([[choice, shared], ...when]), cells })),
  );
}

function keyOf(chosen: Chosen): string {
  return choices.map((choice) => chosen[choice]).join();
}

/** Operations in their order, each kind with its person where more than one is concerned, then what is found. */
function cellOf(operations: readonly Operation[], findings: readonly Finding[]): string {
  const several = new Set([...operations, ...findings].map(({ externalId }) => externalId)).size > 1;
  const who = ({ externalId }: { readonly externalId: string }) =>
    several && externalId !== '' ? ` ${externalId}` : '';
  const done = operations.map((operation) => `${verbOf(operation)}${who(operation)}`);
  const found = findings.map((finding) => `finding \`${finding.code}\`${who(finding)}`);
  const counted = [...count(done), ...count(found)];
  return counted.length === 0 ? '–' : counted.join(', ');
}

function verbOf(operation: Operation): string {
  if (operation.kind === 'update' && operation.reason === 'renamed') return 'update (rename)';
  if (operation.kind === 'update' && operation.reason === 'makes-way') return 'update (makes way)';
  return operation.kind;
}

/** `grant` twice is `2 × grant`. */
function count(texts: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, times]) => (times === 1 ? text : `${times} × ${text}`));
}

/** `leavers: deactivate or revoke-only`; the greatest `confirmAbsence` here stands for any greater one. */
export function whenText({ when }: Row): string {
  const parts = [...when].map(([choice, chosen]) => {
    const open = choice === 'confirmAbsence' && chosen.includes(values.confirmAbsence.length);
    return `\`${choice}\`: ${open ? `${chosen[0]} or more` : chosen.join(' or ')}`;
  });
  return parts.length === 0 ? 'any' : parts.join(', ');
}
