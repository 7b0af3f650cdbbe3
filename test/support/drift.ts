import type { PersonDrift } from '../../src/domain/drift.ts';
import { findDrift } from '../../src/engine/drift.ts';
import { type Given, inputFor } from './planning.ts';

/** Drift in a situation that a test writes down. */
export function driftFor(given: Given): readonly PersonDrift[] {
  return findDrift(inputFor(given));
}
