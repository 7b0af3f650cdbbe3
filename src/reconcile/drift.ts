import type { DriftReport } from '../domain/drift.ts';
import { findDrift } from '../engine/drift.ts';
import type { Context } from './context.ts';
import type { PassOptions } from './propose.ts';
import { readState } from './read-state.ts';
import { warnOfUnknown } from './unknown-choices.ts';

/** Reads both sides like a dry run and writes nothing. Throws SourceError, TargetError or ConfigError as a run does. */
export async function driftOnce(
  context: Context,
  { refresh, only }: Pick<PassOptions, 'refresh' | 'only'>,
  signal: AbortSignal,
): Promise<DriftReport> {
  const { policy } = context.rules;
  const state = await readState(context, { refresh, keepMirror: false }, signal);
  context.progress.clear();
  warnOfUnknown(only, state, context.logger);
  const people = findDrift({ ...state, policy, nameOf: state.entitlements.nameOf, only });
  return { policy: { drift: policy.drift, mode: policy.mode }, managed: state.links.byExternalId.size, people };
}
