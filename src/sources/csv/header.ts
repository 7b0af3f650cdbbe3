import { SourceIncompleteError } from '../../errors.ts';

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

/** Throws SourceIncompleteError that lists every wanted column which the header lacks or has more than once. */
export function checkColumns(header: Header, wanted: readonly string[], path: string): void {
  const problems: string[] = [];
  const near: string[] = [];
  for (const name of wanted) {
    const count = header.names.filter((other) => other === name).length;
    if (count > 1) problems.push(`column ${quoted(name)} stands ${count} times`);
    if (count > 0) continue;
    problems.push(`no column ${quoted(name)}`);
    const alike = header.names.find((other) => likeness(other) === likeness(name));
    if (alike !== undefined) near.push(`${quoted(name)} is spelled ${quoted(alike)} in the file`);
  }
  if (problems.length === 0) return;
  throw new SourceIncompleteError(
    `${path}:1: ${problems.join(', ')}; the header has ${listed(header.names)} (delimiter ${quoted(header.delimiter)})`,
    { hint: near.length > 0 ? near.join('; ') : hintFor(header) },
  );
}

function hintFor(header: Header): string {
  return header.names.length === 1
    ? 'the header has one column only: is source.delimiter right?'
    : 'a column must stand in the header exactly once, spelled as in the configuration';
}

/** Equal for names that people take for the same: letter case, blanks and punctuation aside. */
export function likeness(name: string): string {
  const letters = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
  return letters === '' ? name : letters;
}

export function quoted(name: string): string {
  return JSON.stringify(name);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 40).map(quoted).join(', ');
  return names.length > 40 ? `${shown} and ${names.length - 40} more` : shown;
}
