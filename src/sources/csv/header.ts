import { SourceIncompleteError } from '../../errors.ts';
import { likeness, nearNames } from './near-names.ts';

/** Which column of the file holds what a caller asked for. */
export interface Header {
  readonly delimiter: string;
  /** Trimmed, as the file spells them. */
  readonly names: readonly string[];
}

const delimiters = [',', ';', '\t'];

/**
 * Reads the header with the configured delimiter, else with the one with which it holds most of `wanted`, then most columns.
 * `parse` splits the header record; what it throws is thrown when no delimiter suits it.
 */
export function readHeader(
  parse: (delimiter: string) => readonly string[],
  configured: string | undefined,
  wanted: readonly string[],
): Header {
  if (configured !== undefined) return { delimiter: configured, names: namesOf(parse(configured)) };
  let best: (Header & { readonly found: number }) | undefined;
  let failure: unknown;
  for (const delimiter of delimiters) {
    try {
      const names = namesOf(parse(delimiter));
      const found = wanted.filter((name) => names.includes(name)).length;
      const better =
        best === undefined || found > best.found || (found === best.found && names.length > best.names.length);
      if (better) best = { delimiter, names, found };
    } catch (error) {
      // Quoting that is broken under one delimiter may be right under another.
      failure ??= error;
    }
  }
  if (best === undefined) throw failure;
  return best;
}

function namesOf(record: readonly string[]): string[] {
  return record.map((name) => name.trim());
}

/** The columns of another file, by which a message can say more. */
export interface OtherColumns {
  readonly file: string;
  readonly names: readonly string[];
}

/** Throws SourceIncompleteError that lists every wanted column which the header lacks or has more than once. */
export function checkColumns(
  header: Header,
  wanted: readonly string[],
  path: string,
  others: readonly OtherColumns[] = [],
): void {
  const problems: string[] = [];
  const near: string[] = [];
  for (const name of wanted) {
    const count = header.names.filter((other) => other === name).length;
    if (count > 1) problems.push(`column ${quoted(name)} stands ${count} times`);
    if (count > 0) continue;
    problems.push(`no column ${quoted(name)}`);
    const unwanted = ({ file, names }: OtherColumns) => ({ file, names: names.filter((n) => !wanted.includes(n)) });
    near.push(...[{ file: 'the file', names: header.names }, ...others].map(unwanted).flatMap(nearIn(name)));
  }
  if (problems.length === 0) return;
  const elsewhere = others.length === 0 ? '' : `, and none in ${others.map(({ file }) => file).join(', ')}`;
  const lacking = problems.some((problem) => problem.startsWith('no ')) ? elsewhere : '';
  throw new SourceIncompleteError(
    `${path}:1: ${problems.join(', ')}; the header has ${listed(header.names)} (delimiter ${quoted(header.delimiter)})${lacking}`,
    { hint: near.length > 0 ? near.join('; ') : hintFor(header) },
  );
}

function nearIn(name: string): (columns: OtherColumns) => readonly string[] {
  return ({ file, names }) => {
    const near = nearNames(name, names);
    const [alike] = near.filter((other) => likeness(other) === likeness(name));
    if (alike !== undefined) return [`${quoted(name)} is spelled ${quoted(alike)} in ${file}`];
    return near.length === 0 ? [] : [`has ${quoted(name)} become ${near.map(quoted).join(' or ')} in ${file}?`];
  };
}

function hintFor(header: Header): string {
  return header.names.length === 1
    ? 'the header has one column only: is source.delimiter right?'
    : 'a column must stand in the header exactly once, spelled as in the configuration';
}

export function quoted(name: string): string {
  return JSON.stringify(name);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 40).map(quoted).join(', ');
  return names.length > 40 ? `${shown} and ${names.length - 40} more` : shown;
}
