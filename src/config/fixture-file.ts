import { readFileSync } from 'node:fs';
import type { AttributeValue, Entry } from '../domain/entry.ts';
import type { Expectation, Fixture } from '../domain/fixture.ts';
import type { ExternalId } from '../domain/identity.ts';
import { ConfigError } from '../errors.ts';
import { nearestLine, parseConfigDocument } from './document.ts';
import { type FixturePerson, fixtureFileSchema } from './fixture-schema.ts';
import { describeIssues } from './issues.ts';
import { formatPath } from './paths.ts';

/**
 * Reads a file of made-up people. `idAttribute`: the attribute that holds the source's immutable key; a person who has neither
 * it nor `id` gets a key of its own. Throws ConfigError with everything that is wrong with the file, each with its line.
 */
export function readFixtures(file: string, idAttribute: string): readonly Fixture[] {
  const document = parseConfigDocument(readText(file), file);
  const result = fixtureFileSchema.safeParse(document.content, { jitless: true });
  if (!result.success) {
    const issues = describeIssues(result.error.issues, fixtureFileSchema, document.content).map(({ path, message }) => {
      const line = nearestLine(path, document);
      return { path: formatPath(path), message, file, ...(line !== undefined && { line }) };
    });
    throw new ConfigError(issues.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)));
  }
  return result.data.people.map((person, index): Fixture => {
    const line = document.line(['people', index]) ?? 1;
    const name = person.name ?? `person ${index + 1}`;
    return {
      name,
      line,
      entry: entryOf(person, index, `${file}:${line}`, idAttribute),
      expected: expectationOf(person),
    };
  });
}

function readText(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    const reason = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'is not in UTF-8' : `cannot be read (${code})`;
    throw new ConfigError([{ path: '', message: reason, file }], { cause });
  }
}

function entryOf({ id, entry, groups }: FixturePerson, index: number, location: string, idAttribute: string): Entry {
  const key = id ?? (Object.hasOwn(entry, idAttribute) ? [entry[idAttribute]].flat()[0] : `fixture-${index + 1}`);
  return {
    id: (key ?? '').trim() as ExternalId | '',
    attributes: Object.fromEntries(Object.entries(entry).flatMap(([name, value]) => present(name, value))),
    groups,
    location,
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
