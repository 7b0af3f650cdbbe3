import { InterruptedError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { systemClock } from './clock.ts';

export interface Shutdown extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT, with an InterruptedError as its reason. */
  readonly signal: AbortSignal;
}

type StopSignal = 'SIGINT' | 'SIGTERM';

/** Where signals come from. */
interface SignalEmitter {
  on(name: StopSignal, listener: (name: StopSignal) => void): unknown;
  off(name: StopSignal, listener: (name: StopSignal) => void): unknown;
}

const numbers: Readonly<Record<StopSignal, number>> = { SIGINT: 2, SIGTERM: 15 };
const names: readonly StopSignal[] = ['SIGINT', 'SIGTERM'];

/**
 * A terminal sends Ctrl-C to every process in it, and `npm run` and `npx` pass it on once more: the same signal again within
 * this time is no second wish.
 */
const echoMs = 300;

/**
 * The first signal asks for an orderly end, the second ends the process at once (128 + signal number, as shells count).
 * Listens until disposed of.
 */
export function onShutdown(
  force: (exitCode: number) => void = (exitCode) => process.exit(exitCode),
  { clock = systemClock, emitter = process }: { readonly clock?: Clock; readonly emitter?: SignalEmitter } = {},
): Shutdown {
  const controller = new AbortController();
  let first: { readonly name: StopSignal; readonly at: number } | undefined;
  const listener = (name: StopSignal) => {
    const at = clock.now();
    if (first === undefined) {
      first = { name, at };
      controller.abort(new InterruptedError(`stopped by ${name}`));
    } else if (name !== first.name || at - first.at >= echoMs) {
      force(128 + numbers[name]);
    }
  };
  for (const name of names) emitter.on(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of names) emitter.off(name, listener);
    },
  };
}
