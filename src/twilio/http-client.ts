/** One HTTP request on real sockets: timeouts, body limits, proxies. No retries, no tokens, no redirects. */
import { Agent, type Dispatcher, EnvHttpProxyAgent, request as send } from 'undici';
import { NetworkFailure, networkFailure } from './network-failure.ts';

/** Values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either letter case; the lower case wins, as it does for curl. */
export type ProxyEnvironment = Readonly<Record<string, string | undefined>>;

/** Takes a successful body piece by piece; `end` is called after the last one. What either throws ends the request. */
export interface BodySink {
  write(chunk: Uint8Array): void;
  end(): void;
}

export interface HttpRequest {
  readonly method: Dispatcher.HttpMethod;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Milliseconds for connecting, for the headers, and between two pieces of the body. */
  readonly timeoutMs: number;
  readonly sink?: BodySink | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** `Twilio-Request-Id`. */
  readonly requestId: string | undefined;
  readonly retryAfter: string | undefined;
  readonly location: string | undefined;
  /** Empty when a sink took the body. */
  readonly text: string;
}

export interface HttpClient {
  /** Throws NetworkFailure, the signal's reason, or what the sink threw. */
  send(request: HttpRequest): Promise<HttpAnswer>;
  close(): Promise<void>;
}

/** A page of 1,000 roles stays far below this; only the user list is larger, and that is streamed. */
const largestBody = 16 * 1024 * 1024;
const largestErrorBody = 64 * 1024;
const longestConnectMs = 10_000;
/** A streamed body may take as long as it flows, which it does with so many bytes in three time-outs. */
const leastFlow = 4096;

export function createHttpClient(options: {
  readonly timeoutMs: number;
  readonly proxyEnv: ProxyEnvironment;
}): HttpClient {
  const dispatcher = createDispatcher(options.timeoutMs, options.proxyEnv);
  return {
    send: (request) => exchange(dispatcher, request),
    close: () => dispatcher.close(),
  };
}

function createDispatcher(timeoutMs: number, environment: ProxyEnvironment): Dispatcher {
  const variable = (name: string) => environment[name] || environment[name.toUpperCase()] || '';
  const httpProxy = variable('http_proxy');
  const httpsProxy = variable('https_proxy');
  const connect = { timeout: Math.min(timeoutMs, longestConnectMs) };
  // One request per connection at a time, so that a lost connection loses one answer.
  const common = { connect, allowH2: false, pipelining: 1 };
  if (httpProxy === '' && httpsProxy === '') return new Agent(common);
  // A simulator on this machine is never behind a proxy.
  const noProxy = [variable('no_proxy'), 'localhost', '127.0.0.1', '::1'].filter((each) => each !== '').join(',');
  // A tunnel for http:// too: what a proxy passes on in the clear it also reads.
  // All three are given, because undici reads the environment of the process for those that are not.
  return new EnvHttpProxyAgent({
    ...common,
    httpProxy,
    httpsProxy,
    noProxy,
    requestTls: connect,
    proxyTls: connect,
    proxyTunnel: true,
  });
}

async function exchange(dispatcher: Dispatcher, request: HttpRequest): Promise<HttpAnswer> {
  const { signal, sink, timeoutMs } = request;
  signal?.throwIfAborted();
  // undici's timeouts are about silence; a body that drips must end too.
  using flow = sink === undefined ? undefined : watchFlow(3 * timeoutMs);
  const deadline = flow?.signal ?? AbortSignal.timeout(3 * timeoutMs);
  const signals = [signal, deadline].filter((each) => each !== undefined);
  try {
    const { statusCode, headers, body } = await send(request.url, {
      dispatcher,
      method: request.method,
      headers: { ...request.headers, 'accept-encoding': 'identity', 'user-agent': 'twilio-directory-sync' },
      body: request.body ?? null,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      signal: AbortSignal.any(signals),
    });
    const succeeded = statusCode >= 200 && statusCode < 300;
    const pieces = body as AsyncIterable<Uint8Array>;
    return {
      status: statusCode,
      requestId: requestIdOf(header(headers, 'twilio-request-id')),
      retryAfter: header(headers, 'retry-after'),
      location: header(headers, 'location'),
      text: succeeded && sink !== undefined ? await pour(pieces, sink, flow) : await readText(pieces, succeeded),
    };
  } catch (error) {
    if (error instanceof SinkFailure) throw error.cause;
    if (signal?.aborted === true) throw signal.reason;
    if (error instanceof NetworkFailure) throw error;
    if (deadline.aborted) {
      const missing = flow === undefined ? 'no whole answer' : `less than ${leastFlow} bytes of the answer`;
      throw new NetworkFailure('lost', 'TIMEOUT', `${missing} within ${(3 * timeoutMs) / 1000} s`, error);
    }
    throw networkFailure(error);
  }
}

/** Keeps what a sink throws apart from what the network does. */
class SinkFailure extends Error {}

interface Flow extends Disposable {
  /** Aborts when too little came in a whole stretch of `windowMs`. */
  readonly signal: AbortSignal;
  took(bytes: number): void;
}

function watchFlow(windowMs: number): Flow {
  const stalled = new AbortController();
  let taken = 0;
  const timer = setInterval(() => {
    if (taken < leastFlow) stalled.abort();
    taken = 0;
  }, windowMs).unref();
  return {
    signal: stalled.signal,
    took(bytes) {
      taken += bytes;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

async function pour(pieces: AsyncIterable<Uint8Array>, sink: BodySink, flow: Flow | undefined): Promise<''> {
  const guarded = (work: () => void) => {
    try {
      work();
    } catch (error) {
      throw new SinkFailure('', { cause: error });
    }
  };
  for await (const piece of pieces) {
    flow?.took(piece.byteLength);
    guarded(() => sink.write(piece));
  }
  guarded(() => sink.end());
  return '';
}

async function readText(body: AsyncIterable<Uint8Array>, succeeded: boolean): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    size += chunk.byteLength;
    if (!succeeded && size > largestErrorBody) break;
    if (size > largestBody) throw new NetworkFailure('lost', 'BODY_TOO_LARGE', 'the answer is larger than 16 MiB');
  }
  return Buffer.concat(chunks).toString('utf8');
}

function header(headers: Readonly<Record<string, string | string[] | undefined>>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** It goes to logs, reports and the history, so it is taken only when it looks like one. */
function requestIdOf(text: string | undefined): string | undefined {
  return text !== undefined && /^[\w.:-]{1,100}$/.test(text) ? text : undefined;
}
