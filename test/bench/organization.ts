import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Seed } from '../../src/simulator/seed.ts';
import { tdsync } from './measure.ts';

export interface RunningSimulator {
  readonly url: string;
  stop(): Promise<void>;
  /** Requests so far by endpoint. */
  counts(): Promise<Readonly<Record<string, number>>>;
}

/** A simulator in a process of its own, so that its cost is not counted. */
export async function startOrganization(
  folder: string,
  seed: Seed,
  ...args: readonly string[]
): Promise<RunningSimulator> {
  const file = join(folder, 'seed.json');
  writeFileSync(file, JSON.stringify(seed));
  const child = spawn(process.execPath, [tdsync, 'simulator', '--port', '0', '--seed', file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  const url = /http:\/\/[^ ]+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`the simulator said: ${line}`);
  return {
    url,
    async stop() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
    async counts() {
      const answer = await fetch(`${url}/_simulator/counts`);
      return ((await answer.json()) as { byEndpoint: Record<string, number> }).byEndpoint;
    },
  };
}

export const credentials = { CLIENT_ID: `OQ${'1'.padStart(32, '0')}`, CLIENT_SECRET: 'simulator-secret' };

/** The part of a configuration that names the simulated organization. */
export function twilioSection(url: string, requestsPerSecond = 100): string {
  return `twilio:
  organizationSid: OR00000000000000000000000000000001
  oauth: { grantType: client_credentials, clientId: "\${env:CLIENT_ID}", clientSecret: "\${env:CLIENT_SECRET}" }
  endpoints: { iam: "${url}", oauth: "${url}", accounts: "${url}" }
  limits: { requestsPerSecond: ${requestsPerSecond}, maxConcurrent: 10 }
snapshot: { path: tdsync.db }
log: { level: warn }
`;
}

export function sid(prefix: string, number: number): string {
  return `${prefix}${number.toString(16).padStart(32, '0')}`;
}
