/**
 * A hook: one signed POST, tried a few times within a bounded time.
 *
 * | one attempt ends with              | then                                        |
 * |------------------------------------|---------------------------------------------|
 * | 2xx                                | delivered                                   |
 * | 408, 425, 429, 5xx                 | tried again, after 1 s and after 3 s        |
 * | no answer, or not in time          | the same; it may have arrived all the same  |
 * | any other answer                   | given up: the same request would fare alike |
 *
 * What was not delivered is up to the next run. Neither URL nor secret is in any message: a URL may hold a token, and so
 * may an answer.
 */
import { createHmac } from 'node:crypto';
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from 'undici';
import type { Delivery, NoticeEvent, NoticeFormat } from '../domain/notice.ts';
import type { Secret } from '../domain/secret.ts';
import { NotDeliveredError } from '../errors.ts';
import type { Clock, Hook, Logger } from '../ports.ts';
import { scrubbed } from './redaction.ts';

export interface HookOptions {
  readonly key: string;
  readonly url: Secret;
  readonly secret?: Secret;
  readonly on: readonly NoticeEvent[];
  readonly format: NoticeFormat;
  /** For one attempt. */
  readonly timeoutMs: number;
}

export interface HookRim {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in either letter case. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const pausesMs = [1_000, 3_000];
/** Enough for any polite answer; nobody reads it. */
const largestAnswer = 64 * 1024;

export function createHook({ key, url, secret, on, format, timeoutMs }: HookOptions, rim: HookRim): Hook {
  const name = url.reference;

  async function deliver(delivery: Delivery, signal: AbortSignal): Promise<void> {
    await using dispatcher = createDispatcher(timeoutMs, rim.environment);
    const body = scrubbed(delivery.body);
    for (let attempt = 1; ; attempt += 1) {
      const failure = await post({ url: new URL(url.read()), headers: headersOf(delivery, body), body });
      if (failure === undefined) return;
      const pause = pausesMs[attempt - 1];
      if (failure.final || pause === undefined) throw notDelivered(failure, attempt);
      rim.logger.debug({ hook: name, event: delivery.event, attempt, pauseMs: pause }, `the hook ${failure.reason}`);
      await rim.clock.sleep(pause, signal);
    }

    async function post(sent: Sent): Promise<Failure | undefined> {
      signal.throwIfAborted();
      try {
        return await exchange(sent, dispatcher, timeoutMs, signal);
      } catch (error) {
        signal.throwIfAborted();
        return { reason: reasonOf(error, timeoutMs), final: false, cause: error };
      }
    }
  }

  /** Signed anew for each attempt, so that the time in it is the time of sending. */
  function headersOf({ event, id }: Delivery, body: string): Readonly<Record<string, string>> {
    const seconds = Math.floor(rim.clock.now() / 1_000);
    return {
      'content-type': 'application/json',
      'user-agent': 'twilio-directory-sync',
      'tdsync-event': event,
      'tdsync-delivery': id,
      ...(secret && { 'tdsync-signature': `t=${seconds},v1=${sign(secret.read(), seconds, body)}` }),
    };
  }

  function notDelivered({ reason, cause, final }: Failure, attempts: number): NotDeliveredError {
    const tries = final || attempts === 1 ? '' : ` (${attempts} attempts)`;
    const hint = final
      ? 'check the URL and what the receiver expects; `tdsync doctor --notify` sends a test message'
      : undefined;
    return new NotDeliveredError(`notify ${name}: the hook ${reason}${tries}`, { cause, hint });
  }

  return { key, name, on, format, deliver };
}

/** HMAC-SHA-256 (RFC 2104), hex, over the seconds since the epoch, a full stop and the body. */
function sign(secret: string, seconds: number, body: string): string {
  return createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
}

interface Sent {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Failure {
  /** Completes "the hook". */
  readonly reason: string;
  /** Trying again would not help. */
  readonly final: boolean;
  readonly cause?: unknown;
}

/** Undefined when the other side took it. */
async function exchange(
  { url, headers, body }: Sent,
  dispatcher: Dispatcher,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const answer = await request(url, {
    dispatcher,
    method: 'POST',
    headers,
    body,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
  });
  const { statusCode } = answer;
  if (statusCode >= 200 && statusCode < 300) {
    // It was taken: whether the rest of the answer comes does not matter.
    answer.body.on('error', () => {}).destroy();
    return undefined;
  }
  await answer.body.dump({ limit: largestAnswer });
  const moved = statusCode >= 300 && statusCode < 400 ? ', and redirects are not followed' : '';
  return {
    reason: `answered ${statusCode}${moved}`,
    final: !(statusCode >= 500 || [408, 425, 429].includes(statusCode)),
  };
}

/** Codes only: messages of the network name hosts, which may be as secret as the rest of the URL. */
function reasonOf(error: unknown, timeoutMs: number): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const { name, code } = inner as { readonly name?: unknown; readonly code?: unknown };
  if (name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT')
    return `did not answer within ${timeoutMs / 1_000} s`;
  return `could not be reached (${typeof code === 'string' ? code : 'no connection'})`;
}

/** As the Twilio client's: the lower case wins, and this machine is never behind a proxy. */
function createDispatcher(timeoutMs: number, environment: HookRim['environment']): Dispatcher & AsyncDisposable {
  const variable = (name: string) => environment[name] || environment[name.toUpperCase()] || '';
  const [httpProxy, httpsProxy] = [variable('http_proxy'), variable('https_proxy')];
  const connect = { timeout: timeoutMs };
  const noProxy = [variable('no_proxy'), 'localhost', '127.0.0.1', '::1'].filter((each) => each !== '').join(',');
  const dispatcher =
    httpProxy === '' && httpsProxy === ''
      ? new Agent({ connect })
      : new EnvHttpProxyAgent({ connect, httpProxy, httpsProxy, noProxy, requestTls: connect, proxyTls: connect });
  return Object.assign(dispatcher, { [Symbol.asyncDispose]: () => dispatcher.destroy() });
}
