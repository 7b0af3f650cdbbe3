import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { compileCache } from '../support/world.ts';
import type { Measurement, Order, Report } from './daemon-process.ts';

const script = fileURLToPath(new URL('./daemon-process.ts', import.meta.url));

/** A daemon's process, told when to run. */
export interface SoakDaemon {
  /** Resolves with the time after the run, or undefined when the process ended first. */
  run(at: number): Promise<number | undefined>;
  /** After garbage collection. */
  measure(): Promise<Measurement>;
  /** Sum of `tdsync_runs_total`. */
  countedRuns(): Promise<number>;
  /** `SIGKILL` as a power cut, `SIGTERM` as an orchestrator; resolves when the process is gone. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>;
}

export async function startSoakDaemon(folder: string): Promise<SoakDaemon> {
  const child = fork(script, [folder], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
  });
  let errors = '';
  child.stderr?.on('data', (text) => {
    errors += text;
  });
  const ended = once(child, 'exit');
  const listening = await report(child, 'listening');
  if (listening === undefined) throw new Error(`the daemon ended before it listened: ${errors}`);

  async function ask<Kind extends Report['report']>(order: Order, kind: Kind) {
    const answer = report(child, kind);
    child.send(order);
    return answer;
  }

  return {
    run: async (at) => (await ask({ order: 'run', at }, 'ran'))?.now,
    async measure() {
      const measured = await ask({ order: 'measure' }, 'measured');
      if (measured === undefined) throw new Error(`the daemon ended when it was measured: ${errors}`);
      return measured;
    },
    async countedRuns() {
      const text = await (await fetch(`${listening.url}/metrics`)).text();
      const counts = [...text.matchAll(/^tdsync_runs_total\{[^}]*\} (\d+)$/gm)].map(([, count]) => Number(count));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    async end(signal) {
      child.kill(signal);
      await ended;
      if (errors !== '') throw new Error(`the daemon complained: ${errors}`);
    },
  };
}

/** The next report of a kind; undefined when the process ends before. */
function report<Kind extends Report['report']>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Report, { readonly report: Kind }> | undefined> {
  return new Promise((resolve) => {
    const done = (result: Extract<Report, { readonly report: Kind }> | undefined) => {
      child.off('message', onMessage);
      child.off('exit', onExit);
      resolve(result);
    };
    const onMessage = (message: Report) => {
      if (message.report === kind) done(message as Extract<Report, { readonly report: Kind }>);
    };
    const onExit = () => done(undefined);
    child.on('message', onMessage);
    child.on('exit', onExit);
  });
}
