import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { quirkDefinitions } from '../../src/simulator/quirks.ts';
import {
  alone,
  pairs,
  playing,
  survivableValuesOf,
  switchNames,
  valuesOf,
  variedSwitches,
  worst,
} from '../support/switch-values.ts';
import { areas } from '../support/unknowns.ts';
import { renderUnknowns } from '../support/unknowns-page.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'reference', 'twilio-unknowns.md');
const unknowns = areas.flatMap((area) => area.unknowns);

test('every one of the 35 unknowns has a switch, or says what plays it instead', () => {
  expect(unknowns).toHaveLength(35);
  for (const { question, switches, also } of unknowns) {
    expect(switches.length > 0 || also !== undefined, question).toBe(true);
  }
});

test('every switch of the simulator plays one of them, and has two values at least', () => {
  expect(unknowns.flatMap(({ switches }) => switches).sort()).toEqual([...playing].sort());
  for (const name of switchNames) {
    expect(new Set(valuesOf(name)).size, name).toBeGreaterThan(1);
    for (const value of valuesOf(name)) expect(quirkDefinitions[name].accepts(value), `${name}: ${value}`).toBe(true);
  }
});

test('the lives have every value alone, every value among the worst, and every pair', () => {
  const values = variedSwitches.flatMap((name) => survivableValuesOf(name).map((value) => [name, value] as const));
  const isIn = (quirks: object, [name, value]: (typeof values)[number]) =>
    (quirks as Record<string, unknown>)[name] === (value === quirkDefinitions[name].initial ? undefined : value);
  const deviations = values.filter(([name, value]) => value !== quirkDefinitions[name].initial);

  expect(alone).toHaveLength(deviations.length);
  expect(deviations.filter((each) => !worst.some(({ quirks }) => isIn(quirks, each)))).toEqual([]);
  const uncovered = values.flatMap((one) =>
    values.filter(
      (other) => other[0] > one[0] && !pairs.some(({ quirks }) => isIn(quirks, one) && isIn(quirks, other)),
    ),
  );
  expect(uncovered).toEqual([]);
});

test('docs/reference/twilio-unknowns.md is up to date', () => {
  const text = renderUnknowns();
  // `UPDATE_GOLDEN=1` writes the page anew, to be reviewed in the diff.
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(page, text);

  expect(text).toBe(readFileSync(page, 'utf8'));
});
