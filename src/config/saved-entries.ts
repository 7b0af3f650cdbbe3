import type { Entry } from '../domain/entry.ts';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { firstIssues } from './document-bounds.ts';
import { entryOf, parsePeople, readPeopleText } from './fixture-file.ts';
import { savedFileSchema, savedPersonSchema } from './fixture-schema.ts';
import { describeIssues } from './issues.ts';
import { formatPath } from './paths.ts';

/**
 * Reads people who stand in for a directory: a YAML file as for fixtures, where nothing needs to be expected, or, when its name
 * ends in `.jsonl`, one of these people per line in JSON. Who has neither `id` nor `idAttribute` has no key.
 * Throws ConfigError with everything that is wrong with the file, each with its line.
 */
export function readSavedEntries(file: string, idAttribute: string): readonly Entry[] {
  const text = readPeopleText(file);
  if (file.endsWith('.jsonl')) return readLines(text, file, idAttribute);
  const { people, lineOf } = parsePeople(text, file, savedFileSchema);
  return people.map((person, index) => entryOf(person, `${file}:${lineOf(index)}`, idAttribute, ''));
}

function readLines(text: string, file: string, idAttribute: string): readonly Entry[] {
  const issues: ConfigIssue[] = [];
  const entries = text.split('\n').flatMap((row, index) => {
    if (row.trim() === '') return [];
    const line = index + 1;
    const found = parseRow(row);
    if ('entry' in found) return [entryOf(found, `${file}:${line}`, idAttribute, '')];
    issues.push(...found.issues.map((issue) => ({ ...issue, file, line })));
    return [];
  });
  if (issues.length > 0) throw new ConfigError(firstIssues(issues));
  if (entries.length === 0) throw new ConfigError([{ path: '', message: 'is empty', file }]);
  return entries;
}

function parseRow(row: string) {
  let content: unknown;
  try {
    content = JSON.parse(row);
  } catch {
    return { issues: [{ path: '', message: 'is not one JSON object' }] };
  }
  const result = savedPersonSchema.safeParse(content, { jitless: true });
  if (result.success) return result.data;
  const issues = describeIssues(result.error.issues, savedPersonSchema, content);
  return { issues: issues.map(({ path, message }) => ({ path: formatPath(path), message })) };
}
