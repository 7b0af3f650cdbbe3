import type { TLSSocket } from 'node:tls';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../errors.ts';
import type { Logger } from '../../ports.ts';
import { bind, requestStartTls } from './bind.ts';
import { deadlineError, ReadDeadlineError } from './deadline.ts';
import { type AnswerHandlers, ConversationLostError, createExchange, type Doubt, type Exchange } from './exchange.ts';
import type { LdapResult } from './ldap-result.ts';
import type { ServerAddress } from './options.ts';
import { createReferrals, type Referrals } from './referrals.ts';
import { readTlsMaterial, type TlsMaterial } from './tls-files.ts';
import { encrypt, openTcp } from './transport.ts';

/** A connection that is bound and ready to search. */
export interface LdapConnection {
  readonly url: string;
  readonly address: ServerAddress;
  /** Who we are bound as; undefined when that is not a name that was configured. */
  readonly bindDn: string | undefined;
  /** For each request. */
  readonly operationMs: number;
  /** What was found out about this server's pages: no more entries than this at a time. */
  readonly paging: { largest: number };
  /** What to do about parts of the tree on other servers. */
  readonly referrals: Referrals;
  readonly logger: Logger;
  request(message: Parameters<Exchange['request']>[0], handlers?: AnswerHandlers): Promise<LdapResult>;
  nextMessageId(): number;
  /** Unbinds and closes, here and at servers that referrals led to. Call it exactly when done, whatever happened. */
  close(): void;
}

/**
 * Connects, encrypts and binds. When the signal aborts, then or later, whatever is under way rejects with its reason and the
 * connection is gone. Throws SourceUnavailableError naming the step and the cause, SourceIncompleteError when the time for the
 * whole read is over; ConfigError when the password cannot be read.
 */
export async function openConnection(
  options: LdapOptions,
  address: ServerAddress,
  logger: Logger,
  signal: AbortSignal,
): Promise<LdapConnection> {
  try {
    const exchange = await openExchange(options, address, logger, signal);
    const connection: LdapConnection = {
      url: address.url,
      address,
      bindDn: options.bindDn,
      operationMs: options.timeouts.operationMs,
      paging: { largest: Number.POSITIVE_INFINITY },
      referrals: createReferrals(options, address, logger, (otherOptions, other) =>
        openConnection(otherOptions, other, logger, signal),
      ),
      logger,
      request: (message, handlers) => exchange.request(message, options.timeouts.operationMs, handlers),
      nextMessageId: () => exchange.nextMessageId(),
      close() {
        connection.referrals.close();
        exchange.close();
      },
    };
    return connection;
  } catch (error) {
    throw error instanceof ReadDeadlineError ? deadlineError(`${address.url}: connecting`, error) : error;
  }
}

async function openExchange(
  options: LdapOptions,
  address: ServerAddress,
  logger: Logger,
  signal: AbortSignal,
): Promise<Exchange> {
  signal.throwIfAborted();
  // Before anything is sent: what is wrong with these files is wrong at every server.
  const material = address.secure || options.tls.startTls ? readTlsMaterial(address.url, options.tls) : {};
  const tcp = await openTcp(options, address, signal);
  const loopback = isLoopback(tcp.remoteAddress ?? '');
  let secured = address.secure ? await encrypt(tcp, material, options, address, signal) : undefined;
  let exchange = abortable(createExchange(secured ?? tcp, doubtOf(secured, material)), signal);
  try {
    signal.throwIfAborted();
    if (options.tls.startTls) {
      await requestStartTls(exchange, options, address);
      secured = await encrypt(exchange.detach(), material, options, address, signal);
      exchange = abortable(createExchange(secured, doubtOf(secured, material)), signal);
    } else if (!address.secure && !loopback) {
      logger.warn(
        { url: address.url },
        'the LDAP connection is not encrypted: password and entries can be read on the way; use ldaps:// or tls.startTls',
      );
    }
    await bind(exchange, options, address);
    return exchange;
  } catch (error) {
    exchange.close();
    throw lostWhile(address.url, error);
  }
}

/** The exchange, broken off when the signal aborts. */
function abortable(exchange: Exchange, signal: AbortSignal): Exchange {
  const onAbort = () => exchange.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  const release = () => signal.removeEventListener('abort', onAbort);
  return {
    ...exchange,
    detach() {
      release();
      return exchange.detach();
    },
    close() {
      release();
      exchange.close();
    },
  };
}

/** Servers without alerts just close when they do not like our certificate (GnuTLS, with which Debian builds OpenLDAP). */
function doubtOf(socket: TLSSocket | undefined, { cert }: TlsMaterial): Doubt | undefined {
  // Only a server that asks for a client certificate says which signatures it takes (RFC 8446 section 4.3.2).
  if ((socket?.getSharedSigalgs() ?? []).length === 0) return undefined;
  return {
    clause: `it had asked for a client certificate, ${cert === undefined ? 'and tls.certFile is not set' : 'and may not accept ours (tls.certFile)'}`,
    hint: 'give tls.certFile and tls.keyFile a valid certificate of a CA that the server trusts for clients; its log says more',
  };
}

function lostWhile(url: string, error: unknown): unknown {
  if (!(error instanceof ConversationLostError)) return error;
  return new SourceUnavailableError(`${url}: connecting failed: ${error.message}`, {
    hint: error.hint ?? 'check that the server runs, and that ldap:// and ldaps:// fit the port',
    cause: error,
    elsewhere: !error.everywhere,
  });
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}
