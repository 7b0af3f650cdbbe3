import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { InterruptedError } from '../../src/errors.ts';
import { onShutdown } from '../../src/ops/shutdown.ts';
import { createVirtualClock } from '../support/virtual-clock.ts';

type Signal = 'SIGINT' | 'SIGTERM';

function listening() {
  const emitter = new EventEmitter();
  const clock = createVirtualClock();
  const forced: number[] = [];
  const shutdown = onShutdown((exitCode) => forced.push(exitCode), { clock, emitter });
  return { emitter, clock, forced, shutdown, send: (signal: Signal) => emitter.emit(signal, signal) };
}

describe('onShutdown', () => {
  it.each<Signal>(['SIGINT', 'SIGTERM'])('aborts at the first %s, with the reason', (name) => {
    const { send, forced, shutdown } = listening();

    send(name);

    expect(shutdown.signal.reason).toBeInstanceOf(InterruptedError);
    expect(shutdown.signal.reason.message).toBe(`stopped by ${name}`);
    expect(forced).toEqual([]);
  });

  it.each<[Signal, number]>([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('ends the process at the second %s with %i', (name, exitCode) => {
    const { send, clock, forced } = listening();
    send(name);
    clock.advance(300);

    send(name);

    expect(forced).toEqual([exitCode]);
  });

  it('takes the same signal twice at once, as npm passes Ctrl-C on, for one', () => {
    const { send, clock, forced, shutdown } = listening();

    send('SIGINT');
    clock.advance(5);
    send('SIGINT');

    expect(shutdown.signal.aborted).toBe(true);
    expect(forced).toEqual([]);
  });

  it('takes another signal at once for a second wish', () => {
    const { send, forced } = listening();

    send('SIGINT');
    send('SIGTERM');

    expect(forced).toEqual([143]);
  });

  it('leaves no listener when disposed of', () => {
    const { emitter, shutdown } = listening();

    shutdown[Symbol.dispose]();

    expect(emitter.eventNames()).toEqual([]);
  });

  it('hears the signals of a real process, and lets it end in order', async () => {
    const program = `
      import { onShutdown } from ${JSON.stringify(join(import.meta.dirname, '../../src/ops/shutdown.ts'))};
      const alive = setInterval(() => {}, 1000);
      using shutdown = onShutdown();
      shutdown.signal.addEventListener('abort', () => {
        console.log(shutdown.signal.reason.message);
        clearInterval(alive);
      });
      console.log('ready');
      await new Promise((resolve) => shutdown.signal.addEventListener('abort', resolve));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const output: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => output.push(text));
    await once(child.stdout, 'data');

    child.kill('SIGTERM');
    const [exitCode] = await once(child, 'close');

    expect(output.join('')).toBe('ready\nstopped by SIGTERM\n');
    expect(exitCode).toBe(0);
  });
});
