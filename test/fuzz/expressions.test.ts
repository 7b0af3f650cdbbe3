import { RE2JS, RE2JSException } from 're2js';
import { expect, test } from 'vitest';
import { compileExpression, ExpressionError } from '../../src/engine/expression.ts';
import { fuzz } from '../support/fuzz.ts';

const subjects = [
  '',
  'a',
  `${'a'.repeat(600)}!`,
  'anna.b@corp.example',
  '\u0000\ud800\u202e',
  '9'.repeat(400),
  'ab'.repeat(100),
];
const groups = ['developers', 'a', ...Array.from({ length: 30 }, (_, index) => `group-${index}`)];
const words = [
  ...[
    'entry.',
    'entry["a"]',
    'groups',
    '.matches("',
    '(a+)+$',
    '.exists(g, ',
    '.map(g, ',
    'values(',
    'first(',
    '"',
    "'",
    '\\',
    'r"',
  ],
  ...[
    ' in ',
    ' ? ',
    ' : ',
    '&&',
    '||',
    '!',
    '==',
    '-',
    '/',
    '%',
    '9223372036854775807',
    '1u',
    '1.0e308',
    '[',
    ']',
    '{',
    '}',
    '(',
    ')',
  ],
  ...[
    'timestamp(',
    'duration("1h")',
    'size(',
    'int(',
    'string(',
    'bytes(',
    '.split("")',
    '.join()',
    'null',
    'true',
    'has(',
    'type(',
  ],
];

test('a CEL expression is compiled and answered for any entry, or refused in words', async () => {
  const tried = await fuzz(
    {
      name: 'expressions',
      words,
      run(input) {
        const expression = compileExpression(input.toString('utf8'), 'bool or string');
        const problems = subjects.flatMap((subject) => {
          try {
            expression.evaluate({ a: subject, mail: [subject, 'x'], employeeType: subject }, groups);
            return [];
          } catch (error) {
            return [error];
          }
        });
        const strange = problems.find((error) => !(error instanceof ExpressionError));
        if (strange !== undefined) throw strange;
      },
      expects: (error) => error instanceof ExpressionError,
    },
    1_500,
  );

  expect(tried).toBeGreaterThan(10);
});

test('a pattern is matched in time that its text explains, or refused in words', async () => {
  const tried = await fuzz(
    {
      name: 'patterns',
      words: [
        '(a+)+',
        '(?:',
        '(?i)',
        '(?<n>',
        '|',
        '*',
        '+?',
        '{2,5}',
        '{,3}',
        '{999}',
        '[^',
        ']',
        '\\p{L}',
        '\\b',
        '^',
        '$',
        '.',
        '\\1',
        '(?=',
        '\\x{1F600}',
        ')',
      ],
      run(input) {
        const pattern = RE2JS.compile(input.toString('utf8'));
        for (const subject of subjects) pattern.test(subject);
      },
      expects: (error) => error instanceof RE2JSException,
    },
    600,
  );

  expect(tried).toBeGreaterThan(10);
});
