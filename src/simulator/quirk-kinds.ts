/** Kinds of switches, as `quirks.ts` lists them. */

/** One switch: what it decides, what it starts with, and what it accepts. */
export interface QuirkDefinition<Value> {
  readonly about: string;
  readonly initial: Value;
  /** The accepted values, for people: JSON between bars, or words. */
  readonly allowed: string;
  readonly accepts: (value: unknown) => boolean;
}

export function choice<const Values extends readonly [unknown, ...unknown[]]>(
  about: string,
  ...values: Values
): QuirkDefinition<Values[number]> {
  const allowed = values.map((value) => JSON.stringify(value)).join(' | ');
  return { about, initial: values[0], allowed, accepts: (value) => values.includes(value) };
}

export function count(about: string, initial: number): QuirkDefinition<number> {
  return { about, initial, allowed: 'an integer from 0', accepts: isCount };
}

export function countOrNull(about: string): QuirkDefinition<number | null> {
  return { about, initial: null, allowed: 'an integer from 0, or null', accepts: (v) => v === null || isCount(v) };
}

export function textOrNull(about: string): QuirkDefinition<string | null> {
  return { about, initial: null, allowed: 'text, or null', accepts: (v) => v === null || typeof v === 'string' };
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function wholeNumber(about: string): QuirkDefinition<number> {
  return { about, initial: 0, allowed: 'an integer', accepts: (v) => Number.isSafeInteger(v) };
}
