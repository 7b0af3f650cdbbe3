/**
 * Says in people's words what the schema found. A value is repeated only where one of a few words was expected, never
 * elsewhere: what stands in the wrong place may be a secret.
 */
import type * as z from 'zod';
import { formatPath, type Path, valueAt } from './paths.ts';
import { keysOf, metaOf, schemaAt } from './schema-shape.ts';
import { suggest } from './suggest.ts';

export interface Finding {
  readonly path: Path;
  readonly message: string;
}

/** Everything that the schema has against the content. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  schema: z.core.$ZodType,
  content: unknown,
): readonly Finding[] {
  return issues.flatMap((issue) => {
    const path = issue.path as Path;
    const value = valueAt(content, path);
    const about: Subject = { path, value, schema, content };
    switch (issue.code) {
      case 'unrecognized_keys':
        return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, about) }));
      case 'invalid_union':
        return 'options' in issue && issue.options !== undefined
          ? [{ path, message: notOneOf(issue.options, about) }]
          : describeIssues(likeliestBranch(issue), schema, content);
      case 'invalid_value':
        return [{ path, message: notOneOf(issue.values, about) }];
      case 'invalid_type':
        return [{ path, message: wrongType(issue.expected, about) }];
      case 'too_small':
        return [{ path, message: tooSmall(issue) }];
      case 'too_big':
        return [{ path, message: `must be at most ${issue.maximum}` }];
      default:
        // Formats and checks of our own, which carry their own words.
        return [{ path, message: issue.message }];
    }
  });
}

interface Subject {
  readonly path: Path;
  readonly value: unknown;
  readonly schema: z.core.$ZodType;
  readonly content: unknown;
}

function unknownKey(key: string, { path, value, schema, content }: Subject): string {
  const section = schemaAt(schema, content, path);
  const known = section === undefined ? [] : keysOf(section, value);
  const nested = known.filter((candidate) => candidate.startsWith(`${key}.`));
  const meant = nested[0] ?? suggest(key, known);
  if (meant !== undefined) {
    return `is not a known key; did you mean ${meant}?`;
  }
  const unused = known.filter((candidate) => valueAt(value, [candidate]) === undefined);
  const place = path.length === 0 ? 'the file' : formatPath(path);
  const advice =
    unused.length === 0 ? `${place} has all its keys already` : `${place} can also have ${unused.join(', ')}`;
  return `is not a known key; ${advice}`;
}

function notOneOf(values: readonly unknown[], subject: Subject): string {
  const words = values.map(String);
  const allowed = words.length === 1 ? `${words[0]}` : `one of ${words.join(', ')}`;
  if (subject.value === undefined) {
    return `is required: ${allowed}`;
  }
  if (typeof subject.value !== 'string') {
    return `must be ${allowed}, not ${typeName(subject.value)}`;
  }
  const meant = suggest(subject.value, words);
  const shown = subject.value.length <= 40 ? `, not "${subject.value}"` : '';
  return `must be ${allowed}${shown}${meant === undefined || words.length === 1 ? '' : `; did you mean ${meant}?`}`;
}

function wrongType(expected: string, { path, value, schema, content }: Subject): string {
  const wanted = schemaAt(schema, content, path);
  const meta = wanted === undefined ? {} : metaOf(wanted);
  if (value === undefined) {
    const { description } = meta;
    return description === undefined ? 'is required' : `is required: ${firstSentence(description)}`;
  }
  if (value === null) {
    return 'has no value; give it one, or remove the key';
  }
  if (typeof value === 'number' && meta.title === 'duration') {
    return `must have a unit, such as ${value}s or ${value}m`;
  }
  const advice = expected === 'string' && typeof value !== 'object' ? '; put it in quotes' : '';
  if (typeof value === 'number' && expected !== 'string') {
    return `must be ${typeNames[expected] ?? expected}`;
  }
  return `must be ${typeNames[expected] ?? expected}, not ${typeName(value)}${advice}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section with keys of its own',
  null: 'nothing',
};

function typeName(value: unknown): string {
  const type = value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value;
  return typeNames[type] ?? type;
}

function firstSentence(description: string): string {
  const sentence = /^[^.:;]+/.exec(description)?.[0] ?? description;
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

function tooSmall(issue: z.core.$ZodIssueTooSmall): string {
  switch (issue.origin) {
    case 'string':
      return 'must not be empty';
    case 'array':
      return 'must have at least one item';
    default:
      return `must be at least ${issue.minimum}`;
  }
}

/** Of the ways in which a value could have been right, the one that it was meant in: not wrong as a whole. */
function likeliestBranch(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] {
  const wrongAsWhole = ([first]: readonly z.core.$ZodIssue[]) =>
    first?.code === 'invalid_type' && first.path.length === 0;
  const branch = issue.errors.find((issues) => !wrongAsWhole(issues)) ?? issue.errors[0] ?? [];
  return branch.map((nested) => ({ ...nested, path: [...issue.path, ...nested.path] }));
}
