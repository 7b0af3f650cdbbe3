import { InterruptedError } from '../errors.ts';

export interface Shutdown extends Disposable {
  /** Aborts at the first SIGTERM or SIGINT. */
  readonly signal: AbortSignal;
}

const signals = { SIGINT: 2, SIGTERM: 15 } as const;

/** The first signal asks for an orderly end, the second ends the process at once (128 + signal number, as shells count). */
export function onShutdown(force: (exitCode: number) => void = (exitCode) => process.exit(exitCode)): Shutdown {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) force(128 + signals[name as keyof typeof signals]);
    else controller.abort(new InterruptedError(`stopped by ${name}`));
  };
  for (const name of Object.keys(signals)) process.on(name, listener);
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const name of Object.keys(signals)) process.off(name, listener);
    },
  };
}
