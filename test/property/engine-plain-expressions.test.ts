import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileExpression, ExpressionError } from '../../src/engine/expression.ts';
import { holds } from '../support/properties.ts';

const words = ['', 'a', 'b', 'A', 'é', '"', '\\', 'twilio-users'];
const quoted = fc.constantFrom(...words).map((word) => JSON.stringify(word));
const name = fc.constantFrom('mail', 'kind', 'title');

const { text, truth } = fc.letrec<{ text: string; truth: string }>((tie) => ({
  text: fc.oneof(
    { maxDepth: 4 },
    quoted,
    name.map((each) => `entry.${each}`),
    name.map((each) => `entry["${each}"]`),
    fc.tuple(tie('text'), tie('text')).map(([a, b]) => `(${a} + ${b})`),
    fc.tuple(tie('truth'), tie('text'), tie('text')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
  truth: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom('true', 'false'),
    quoted.map((word) => `${word} in groups`),
    fc.tuple(tie('text'), fc.constantFrom('==', '!='), tie('text')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie('truth'), fc.constantFrom('&&', '||'), tie('truth')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('truth').map((a) => `!(${a})`),
  ),
}));

function outcome(
  expression: string,
  attributes: Record<string, string | string[]>,
  groups: readonly string[],
): unknown {
  try {
    return compileExpression(expression, 'bool or string').evaluate(attributes, groups);
  } catch (error) {
    if (error instanceof ExpressionError) return 'does not fit';
    throw error;
  }
}

test('a plain expression means what it means to CEL, also for absent attributes and several values', () => {
  const value = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...words) },
    { weight: 1, arbitrary: fc.array(fc.constantFrom(...words), { minLength: 2, maxLength: 3 }) },
  );
  const attributes = fc.dictionary(name, value);
  holds(
    fc.property(fc.oneof(text, truth), attributes, fc.array(fc.constantFrom(...words)), (expression, given, groups) => {
      // An element of a list is not plain.
      expect(outcome(expression, given, groups)).toEqual(outcome(`[${expression}][0]`, given, groups));
    }),
    2_000,
  );
});
