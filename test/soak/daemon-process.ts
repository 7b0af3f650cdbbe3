/**
 * The runs of a daemon in a process of its own: one whenever it is told the time, with waits that cost nothing. What a run
 * leaves behind in this process is what the soak measures. Arguments: the folder with tdsync.yaml.
 */
import { setImmediate } from 'node:timers/promises';
import { runOfDaemon } from '../../src/cli/daemon.ts';
import { startWatching } from '../../src/cli/watching.ts';
import { InterruptedError } from '../../src/errors.ts';
import { openFiles } from '../../src/ops/process-metrics.ts';
import type { Clock } from '../../src/ports.ts';
import { sessionOf } from '../support/in-process.ts';

export type Order = { readonly order: 'run'; readonly at: number } | { readonly order: 'measure' };

export interface Measurement {
  readonly heapBytes: number;
  readonly rssBytes: number;
  readonly files: number;
}

export type Report =
  | { readonly report: 'listening'; readonly url: string }
  | { readonly report: 'ran'; readonly now: number }
  | ({ readonly report: 'measured' } & Measurement);

let now = 0;
const clock: Clock = {
  now: () => now,
  async sleep(ms, signal) {
    signal?.throwIfAborted();
    now += ms;
    await setImmediate();
  },
};

const [folder = '.'] = process.argv.slice(2);
// A call that hangs is the only thing that takes real time.
const environment = { TDSYNC_TWILIO_TIMEOUT: '500ms' };
const session = sessionOf({ path: (name) => `${folder}/${name}` }, { clock, environment });
const stop = new AbortController();
let running: Promise<void> | undefined;

function send(report: Report): void {
  process.send?.(report);
}

async function run(at: number): Promise<void> {
  now = Math.max(now, at);
  running = runOfDaemon(session, stop.signal);
  await running;
  running = undefined;
  send({ report: 'ran', now });
}

async function measure(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await setImmediate();
    globalThis.gc?.();
  }
  const { heapUsed, rss } = process.memoryUsage();
  send({ report: 'measured', heapBytes: heapUsed, rssBytes: rss, files: openFiles() ?? 0 });
}

process.on('message', (message: Order) => void (message.order === 'run' ? run(message.at) : measure()));
process.on('disconnect', () => process.exit());
process.on('SIGTERM', async () => {
  stop.abort(new InterruptedError('stopped by SIGTERM'));
  await running;
  process.exit();
});

const watching = await startWatching(session);
send({ report: 'listening', url: watching?.url ?? '' });
