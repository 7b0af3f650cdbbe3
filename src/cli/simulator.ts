import { parseDuration } from '../config/durations.ts';
import { onShutdown } from '../ops/shutdown.ts';
import { loadSeedFile, type Seed } from '../simulator/seed.ts';
import { startSimulator } from '../simulator/simulator.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { seedFromSnapshot } from './snapshot-seed.ts';
import { openForLooking } from './snapshot-session.ts';
import { print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface SimulatorOptions extends GlobalOptions {
  readonly port: number;
  readonly host: string;
  readonly seed?: string;
  readonly fromSnapshot?: boolean;
  readonly requestsPerSecond?: number;
  readonly latency?: string;
}

/** Runs until it is asked to stop. The line it prints tells a script that it listens. */
export async function simulator(options: SimulatorOptions): Promise<ExitCode> {
  const seed = readSeed(options);
  const limits = {
    requestsPerSecond: options.requestsPerSecond ?? null,
    latency: options.latency === undefined ? 0 : parseLatency(options.latency),
  };
  using shutdown = onShutdown();
  await using running = await start(seed, limits, options);
  print(`A simulated Twilio organization listens on ${running.url} (iam, oauth and accounts alike)\n`);
  for (const client of running.state.clients.values()) print(`client ${client.clientId}\n`);
  await new Promise<void>((resolve) => {
    if (shutdown.signal.aborted) resolve();
    shutdown.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  return exitCodes.ok;
}

async function start(
  seed: Seed,
  limits: { requestsPerSecond: number | null; latency: number },
  { host, port }: SimulatorOptions,
) {
  try {
    return await startSimulator({ seed, limits, host, port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') throw error;
    throw new UsageError(`simulator: cannot listen on ${host}:${port} (${code})`, {
      cause: error,
      hint: 'choose another with --port; 0 lets the system choose',
    });
  }
}

function readSeed(options: SimulatorOptions): Seed {
  if (options.seed !== undefined) return loadSeedFile(options.seed);
  if (!options.fromSnapshot) return {};
  const { snapshot, configuration } = openForLooking(options);
  using _snapshot = snapshot;
  return seedFromSnapshot(snapshot, configuration.twilio.organizationSid);
}

function parseLatency(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new UsageError(`--latency: "${text}" is not a duration; write for example 50ms`);
  return ms;
}
