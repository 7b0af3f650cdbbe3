/** Worlds whose access rests on a person's approval: configuration, the person's browser, and the approval itself. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { parse, stringify } from 'yaml';
import { composeAuthorizing } from '../../src/compose.ts';
import { loadConfiguration } from '../../src/config/load.ts';
import type { Clock } from '../../src/ports.ts';
import { createChallenge } from '../../src/twilio/authorization-code.ts';
import { plantedSecret, type World } from './world.ts';

/** Registered with the simulator's app; nobody listens there. */
export const elsewhere = 'https://corp.example/tdsync';

/** Makes the configuration of a world one for the authorization-code grant; the rest stays. */
export async function useCodeGrant(world: World, changes: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const sections = parse(await readFile(world.path('tdsync.yaml'), 'utf8'));
  Object.assign(sections.twilio.oauth, {
    grantType: 'authorization_code',
    redirectUri: elsewhere,
    approvedBy: 'owner@corp.example',
    ...changes,
  });
  await world.write('tdsync.yaml', stringify(sections, { lineWidth: 0 }));
}

/** What a browser does: asks the page, and is sent elsewhere. */
export async function visit(url: string): Promise<URL> {
  const response = await fetch(url, { redirect: 'manual' });
  return new URL(response.headers.get('location') ?? 'about:blank');
}

/** `tdsync authorize` in this process, with the browser of a person who approves. */
export async function approve(world: World, clock: Clock): Promise<void> {
  const { configuration } = loadConfiguration(world.path('tdsync.yaml'), { TWILIO_CLIENT_SECRET: plantedSecret });
  const silent = () => {};
  const rim = {
    clock,
    logger: { debug: silent, info: silent, warn: silent, error: silent },
    serverFailures: new Map(),
    progress: { update: silent, clear: silent },
    environment: {},
  };
  const { authorizing, store } = await composeAuthorizing(configuration, rim, new AbortController().signal);
  await using _authorizing = authorizing;
  const challenge = createChallenge(randomBytes);
  const { href } = await visit(authorizing.url(challenge).href);
  const { authorization } = await authorizing.redeem(href, challenge);
  await store.exclusively((keep) => Promise.resolve(keep(authorization)));
}

/** A port that nobody listens at. */
export function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
