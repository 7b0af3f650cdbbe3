import { BindRequest, ExtendedRequest } from 'ldapts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import { activeDirectoryRemedy } from './active-directory-errors.ts';
import { type AnswerHandlers, ConversationLostError, createExchange, type Exchange } from './exchange.ts';
import type { LdapResult } from './ldap-result.ts';
import type { ServerAddress } from './options.ts';
import { describeResultCode, formatResultCode } from './result-codes.ts';
import { encrypt, openTcp } from './transport.ts';

const startTlsOid = '1.3.6.1.4.1.1466.20037';

/** A connection that is bound and ready to search. */
export interface LdapConnection {
  readonly url: string;
  /** For each request. */
  readonly operationMs: number;
  request(message: Parameters<Exchange['request']>[0], handlers?: AnswerHandlers): Promise<LdapResult>;
  nextMessageId(): number;
  /** Unbinds and closes. Call it exactly when done with the connection, whatever happened. */
  close(): void;
}

/**
 * Connects, encrypts and binds. When the signal aborts, then or later, whatever is under way rejects with its reason and the
 * connection is gone. Throws SourceUnavailableError naming the step and the cause; ConfigError when the password cannot be read.
 */
export async function openConnection(
  options: LdapOptions,
  address: ServerAddress,
  logger: Logger,
  signal: AbortSignal,
): Promise<LdapConnection> {
  signal.throwIfAborted();
  const tcp = await openTcp(options, address, signal);
  const loopback = isLoopback(tcp.remoteAddress ?? '');
  const socket = address.secure ? await encrypt(tcp, options, address, signal) : tcp;
  let exchange = createExchange(socket);
  const onAbort = () => exchange.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  const close = () => {
    signal.removeEventListener('abort', onAbort);
    exchange.close();
  };
  try {
    signal.throwIfAborted();
    if (options.tls.startTls) {
      await requestStartTls(exchange, options, address);
      exchange = createExchange(await encrypt(exchange.detach(), options, address, signal));
    } else if (!address.secure && !loopback) {
      logger.warn(
        { url: address.url },
        'the LDAP connection is not encrypted: password and entries can be read on the way; use ldaps:// or tls.startTls',
      );
    }
    await bind(exchange, options, address);
  } catch (error) {
    close();
    throw lostWhile('connecting', address.url, error);
  }
  return {
    url: address.url,
    operationMs: options.timeouts.operationMs,
    request: (message, handlers) => exchange.request(message, options.timeouts.operationMs, handlers),
    nextMessageId: () => exchange.nextMessageId(),
    close,
  };
}

async function requestStartTls(exchange: Exchange, options: LdapOptions, address: ServerAddress): Promise<void> {
  const request = new ExtendedRequest({ messageId: exchange.nextMessageId(), oid: startTlsOid });
  const result = await exchange.request(request, options.timeouts.connectMs);
  if (result.code === 0) return;
  throw new SourceUnavailableError(`${address.url}: the server refuses StartTLS: ${describeResult(result)}`, {
    hint: 'give the server a certificate and let it offer StartTLS, or use ldaps://; nothing was sent in clear text',
  });
}

async function bind(exchange: Exchange, options: LdapOptions, address: ServerAddress): Promise<void> {
  const dn = options.bindDn ?? '';
  if (dn === '') return;
  const password = options.bindPassword?.read() ?? '';
  if (password === '') {
    // Many servers take this for an anonymous bind, say success, and then show less (RFC 4513 section 5.1.2).
    throw new SourceUnavailableError(`${address.url}: no bind as ${dn}: the password is empty`, {
      hint: `give ${options.bindPassword?.reference ?? 'bindPassword'} a value; leave out bindDn for an anonymous read`,
    });
  }
  const request = new BindRequest({ messageId: exchange.nextMessageId(), dn, password });
  const result = await exchange.request(request, options.timeouts.connectMs);
  if (result.code === 0) return;
  throw new SourceUnavailableError(`${address.url}: the server refuses the bind as ${dn}: ${describeResult(result)}`, {
    hint: activeDirectoryRemedy(result.message) ?? describeResultCode(result.code).remedy,
  });
}

/** `invalidCredentials (49): the server's words`. */
export function describeResult(result: LdapResult): string {
  return `${formatResultCode(result.code)}${result.message === '' ? '' : `: ${result.message}`}`;
}

function lostWhile(step: string, url: string, error: unknown): unknown {
  if (!(error instanceof ConversationLostError)) return error;
  return new SourceUnavailableError(`${url}: ${step} failed: ${error.message}`, {
    hint: error.hint ?? 'check that the server runs, and that ldap:// and ldaps:// fit the port',
    cause: error,
  });
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
