/** A small HTTP server on a real socket that answers as a test says and remembers what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedRequest {
  readonly method: string;
  /** With the query. */
  readonly url: string;
  /** Decoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface ScriptedReply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, unless `text` is given. */
  readonly json?: unknown;
  readonly text?: string;
  /** Sent piece by piece; each waits for the one before to be on its way. */
  readonly pieces?: Iterable<string | Uint8Array>;
  /** `before`: the connection breaks without an answer; `after`: after what was given of the body; `hang`: no answer ever. */
  readonly broken?: 'before' | 'after' | 'hang';
}

export type Respond = (request: ScriptedRequest) => ScriptedReply | Promise<ScriptedReply>;

export interface ScriptedHttp extends AsyncDisposable {
  /** Origin, e.g. http://127.0.0.1:41234. */
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
  /** `METHOD /path` of each request so far. */
  readonly lines: readonly string[];
  /** Ends all connections at once. */
  close(): Promise<void>;
}

export async function startScriptedHttp(respond: Respond): Promise<ScriptedHttp> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((incoming, response) => {
    void serve(incoming, response).catch(() => incoming.destroy());
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const url = new URL(incoming.url ?? '/', 'http://scripted');
    const request: ScriptedRequest = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: incoming.headers,
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(request);
    await reply(await respond(request), response);
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    if (!server.listening) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    get lines() {
      return requests.map(({ method, path }) => `${method} ${path}`);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function reply(script: ScriptedReply, response: ServerResponse): Promise<void> {
  if (script.broken === 'hang') return;
  if (script.broken === 'before') {
    response.destroy();
    return;
  }
  const text = script.text ?? (script.json === undefined ? '' : JSON.stringify(script.json));
  const length = script.broken === 'after' ? { 'content-length': String(Buffer.byteLength(text) + 1000) } : {};
  response.writeHead(script.status ?? 200, { 'content-type': 'application/json', ...length, ...script.headers });
  for (const piece of script.pieces ?? [text]) {
    // Handed to the system before the next step, so that breaking off afterwards loses nothing of it.
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.write(piece, () => {
        response.off('close', resolve);
        resolve();
      });
    });
    if (response.destroyed) return;
  }
  if (script.broken === 'after') response.destroy();
  else response.end();
}

/** Replies one after the other; the last one stays. */
export function inTurn(...replies: readonly ScriptedReply[]): () => ScriptedReply {
  let next = 0;
  return () => replies[Math.min(next++, replies.length - 1)] ?? {};
}

/** By `METHOD /path`; what is not named is answered with 501. */
export function byRoute(routes: Readonly<Record<string, Respond>>): Respond {
  return (request) => routes[`${request.method} ${request.path}`]?.(request) ?? { status: 501, text: 'not scripted' };
}
