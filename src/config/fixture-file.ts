import type * as z from 'zod';
import type { AttributeValue, Entry } from '../domain/entry.ts';
import type { Expectation, Fixture } from '../domain/fixture.ts';
import type { ExternalId } from '../domain/identity.ts';
import { ConfigError } from '../errors.ts';
import { FileTooLargeError, readBounded } from './bounded-file.ts';
import { nearestLine, parseConfigDocument } from './document.ts';
import { firstIssues } from './document-bounds.ts';
import { type FixturePerson, fixtureFileSchema } from './fixture-schema.ts';
import { describeIssues } from './issues.ts';
import { formatPath } from './paths.ts';

/**
 * Reads a file of made-up people. `idAttribute`: the attribute that holds the source's immutable key; a person who has neither
 * it nor `id` gets a key of its own. Throws ConfigError with everything that is wrong with the file, each with its line.
 */
export function readFixtures(file: string, idAttribute: string): readonly Fixture[] {
  const { people, lineOf } = parsePeople(readPeopleText(file), file, fixtureFileSchema);
  return people.map((person, index): Fixture => {
    const line = lineOf(index);
    const name = person.name ?? `person ${index + 1}`;
    const entry = entryOf(person, `${file}:${line}`, idAttribute, `fixture-${index + 1}`);
    return { name, line, entry, expected: expectationOf(person) };
  });
}

/** Throws ConfigError. */
export function parsePeople<Person>(
  text: string,
  file: string,
  schema: z.ZodType<{ readonly people: readonly Person[] }>,
): { readonly people: readonly Person[]; lineOf(index: number): number } {
  const document = parseConfigDocument(text, file);
  const result = schema.safeParse(document.content, { jitless: true });
  if (result.success) {
    return { people: result.data.people, lineOf: (index) => document.line(['people', index]) ?? 1 };
  }
  const issues = describeIssues(result.error.issues, schema, document.content).map(({ path, message }) => {
    const line = nearestLine(path, document);
    return { path: formatPath(path), message, file, ...(line !== undefined && { line }) };
  });
  throw new ConfigError(firstIssues(issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0))));
}

/** A hundred thousand people in JSON lines take some 50 MB. */
const largest = 256 * 1024 * 1024;
/** YAML takes some hundred times its size in memory. */
const largestYaml = 16 * 1024 * 1024;

/** Throws ConfigError. */
export function readPeopleText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      readBounded(file, file.endsWith('.jsonl') ? largest : largestYaml),
    );
  } catch (cause) {
    if (cause instanceof FileTooLargeError)
      throw new ConfigError([{ path: '', message: cause.message, file }], { cause });
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const reason = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not in UTF-8' : `cannot be read (${code})`;
    throw new ConfigError([{ path: '', message: reason, file }], { cause });
  }
}

export function entryOf(
  { id, entry, groups, disabled }: Omit<FixturePerson, 'name' | 'expect'>,
  location: string,
  idAttribute: string,
  otherwise: string,
): Entry {
  const key = id ?? (Object.hasOwn(entry, idAttribute) ? [entry[idAttribute]].flat()[0] : otherwise);
  return {
    id: (key ?? '').trim() as ExternalId | '',
    attributes: Object.fromEntries(Object.entries(entry).flatMap(([name, value]) => present(name, value))),
    groups,
    location,
    ...(disabled && { disabled }),
  };
}

/** As sources hand it over: an empty value is an absent one, and one value stands alone. */
function present(name: string, value: AttributeValue): readonly (readonly [string, AttributeValue])[] {
  const values = [value].flat().filter((each) => each !== '');
  const [first] = values;
  if (first === undefined) return [];
  return [[name, values.length === 1 ? first : values]];
}

function expectationOf({ expect }: FixturePerson): Expectation {
  if (expect === 'out-of-scope') return { result: 'out-of-scope' };
  const { user = {}, active = true, grants, finding, message } = expect;
  if (finding !== undefined) return { result: 'finding', code: finding, message };
  const attributes = Object.fromEntries(Object.entries(user).filter(([, value]) => value !== undefined));
  return { result: 'user', attributes, active, grants };
}
