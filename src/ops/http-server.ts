/**
 * A small HTTP server for machines that watch: fixed paths, GET and HEAD, nothing taken in. Whoever is slow, chatty or one of
 * too many loses the connection, and never costs a run anything.
 *
 * | request                                        | answer                       |
 * |------------------------------------------------|------------------------------|
 * | GET or HEAD of a path                          | what its page says           |
 * | another method                                 | 405                          |
 * | another path                                   | 404                          |
 * | with a body                                    | 413, and the end             |
 * | headers over 8 KiB, or not HTTP                | 431 or 400, by Node, the end |
 * | headers not within 5 s, all not within 10 s    | 408, by Node, and the end    |
 * | nothing read or sent for 10 s                  | the end                      |
 * | more connections than 32                       | closed at once               |
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../errors.ts';

export interface Page {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export interface HttpServer extends AsyncDisposable {
  /** `http://127.0.0.1:9464`, with the port that the system chose when 0 was asked for. */
  readonly url: string;
}

/** How much a client may ask of us. Times in milliseconds. */
interface Limits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
  /** How often the first two are looked at. */
  readonly checkMs: number;
  readonly mostConnections: number;
}

const usualLimits: Limits = {
  headersMs: 5_000,
  requestMs: 10_000,
  idleMs: 10_000,
  checkMs: 1_000,
  mostConnections: 32,
};
const keepAliveMs = 5_000;
const largestHeaders = 8 * 1024;

/**
 * `pages` makes each page anew when it is asked for; what it throws is `onFailure`'s, and the answer is 503.
 * Throws ConfigError when it cannot listen there. Disposing ends all connections.
 */
export async function startHttpServer(
  { host, port }: { readonly host: string; readonly port: number },
  pages: Readonly<Record<string, () => Page>>,
  onFailure: (path: string, error: unknown) => void,
  limits: Limits = usualLimits,
): Promise<HttpServer> {
  const server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: largestHeaders,
      connectionsCheckingInterval: limits.checkMs,
    },
    (request, response) => answer(request, response, pageFor(request)),
  );
  server.maxConnections = limits.mostConnections;
  server.setTimeout(limits.idleMs, (socket) => socket.destroy());
  await listen();
  // Such as too many open files at an accept: no reason to end.
  server.on('error', (error) => onFailure('listening', error));
  const { address, family, port: chosen } = server.address() as AddressInfo;

  function pageFor(request: IncomingMessage): Page {
    const [path = ''] = (request.url ?? '').split('?', 1);
    if (hasBody(request)) return plain(413, 'no body is taken');
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined) return plain(404, `there is nothing but ${Object.keys(pages).join(', ')}`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET and HEAD');
    try {
      return page();
    } catch (error) {
      onFailure(path, error);
      return plain(503, 'this cannot be told at the moment; the log says why');
    }
  }

  async function listen(): Promise<void> {
    try {
      server.listen({ host, port, exclusive: true });
      await once(server, 'listening');
    } catch (error) {
      throw cannotListen(`${host}:${port}`, error);
    }
  }

  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(request: IncomingMessage, response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 && { allow: 'GET, HEAD' }),
    // What was sent with it is not read.
    ...(hasBody(request) && { connection: 'close' }),
  });
  response.end(body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function plain(status: number, text: string): Page {
  return { status, type: 'text/plain; charset=utf-8', body: `${text}\n` };
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'somebody else listens there',
  EACCES: 'that is not permitted; ports below 1024 are for root',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'the host name is unknown',
};

function cannotListen(where: string, error: unknown): ConfigError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const reason = reasons[code] ?? message;
  return new ConfigError([{ path: 'server.listen', message: `cannot listen on ${where}: ${reason} (${code})` }], {
    hint: 'choose another address or port, or find who has it (ss -ltnp); without the section `server` nothing listens',
    cause: error,
  });
}
