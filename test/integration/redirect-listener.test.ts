import { expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { listenForRedirect } from '../../src/ops/redirect-listener.ts';
import { freePort } from '../support/code-grant.ts';
import { errorFrom } from '../support/twilio-scripts.ts';

test('waits at localhost for a browser that takes the first of its addresses, and answers once', async () => {
  const port = await freePort();
  await using listener = await listenForRedirect(`http://localhost:${port}/back`);
  const headers = { host: `localhost:${port}` };

  const first = await fetch(`http://localhost:${port}/back?code=<script>&state=s`, { headers });
  const again = await fetch(`http://localhost:${port}/back?code=other&state=s`, { headers });

  expect(await listener.received).toBe(`http://localhost:${port}/back?code=%3Cscript%3E&state=s`);
  expect([first.status, again.status]).toEqual([200, 404]);
  expect(await first.text()).not.toMatch(/script|code=/);
  expect(first.headers.get('cache-control')).toBe('no-store');
});

test('names the setting when the port is taken, and gives the port back when it ends', async () => {
  const uri = `http://127.0.0.1:${await freePort()}/back`;
  const first = await listenForRedirect(uri);

  const error = await errorFrom(listenForRedirect(uri));
  await first[Symbol.asyncDispose]();
  await using second = await listenForRedirect(uri);

  expect(error).toBeInstanceOf(ConfigError);
  expect(error).toMatchObject({
    message: expect.stringMatching(/^twilio\.oauth\.redirectUri: cannot wait at .* \(EADDRINUSE\)$/),
    hint: expect.stringContaining('--paste'),
  });
  expect(second).toBeDefined();
});
