/**
 * Waits on this machine for a browser that is sent back to `http://127.0.0.1:PORT/…` (RFC 8252 section 7.3). It answers the
 * one request it waits for, and nothing else; what the request says is never repeated in the page.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ConfigError } from '../errors.ts';

export interface RedirectListener extends AsyncDisposable {
  /** The whole address that the browser asked for. Never rejects. */
  readonly received: Promise<string>;
}

/** Throws ConfigError when the port cannot be had. */
export async function listenForRedirect(redirectUri: string): Promise<RedirectListener> {
  const expected = new URL(redirectUri);
  const { promise: received, resolve } = Promise.withResolvers<string>();
  let answered = false;
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const isExpected =
      !answered &&
      request.method === 'GET' &&
      // A page of somebody else's that has this machine's address as its own name is not the browser's way back.
      request.headers.host === expected.host &&
      request.url?.split('?', 1)[0] === expected.pathname;
    if (!isExpected) {
      send(response, 404, 'Nothing here.');
      return;
    }
    answered = true;
    const address = `${expected.origin}${request.url}`;
    send(response, 200, 'tdsync has the answer. Go back to where you started it; this page can be closed.', () =>
      resolve(address),
    );
  };
  const servers: Server[] = [];
  const end = async () => {
    await Promise.all(servers.map(closed));
  };
  try {
    for (const host of hostsOf(expected.hostname)) {
      const server = createServer({ requestTimeout: 10_000, connectionsCheckingInterval: 1000 }, answer);
      server.maxConnections = 16;
      if (await listen(server, host, expected, servers.length === 0)) servers.push(server);
    }
  } catch (error) {
    await end();
    throw error;
  }
  return { received, [Symbol.asyncDispose]: end };
}

/** A browser takes whichever address of `localhost` answers. */
function hostsOf(hostname: string): readonly string[] {
  return hostname === 'localhost' ? ['127.0.0.1', '::1'] : [hostname.replaceAll(/[[\]]/g, '')];
}

/** False when the second address of `localhost` is not there. */
async function listen(server: Server, host: string, { port, href }: URL, needed: boolean): Promise<boolean> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(Number(port), host, resolve);
    });
    return true;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (!needed && (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')) return false;
    throw new ConfigError([{ path: 'twilio.oauth.redirectUri', message: `cannot wait at ${href} (${code})` }], {
      hint: 'End what uses the port, or run `tdsync authorize --paste` and paste the address that the browser ends up at.',
      cause,
    });
  }
}

function send(response: ServerResponse, status: number, text: string, sent?: () => void): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    connection: 'close',
  });
  if (sent !== undefined) response.once('close', sent);
  response.end(`<!doctype html><html lang="en"><title>tdsync</title><p>${text}</p></html>\n`);
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
