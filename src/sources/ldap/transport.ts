import { connect, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../errors.ts';
import { connectError, tlsHandshake } from './connect-errors.ts';
import { certificateName, type ServerAddress } from './options.ts';
import type { TlsMaterial } from './tls-files.ts';

type TransportOptions = Pick<LdapOptions, 'tls' | 'timeouts'>;

/** Opens the TCP connection. Throws SourceUnavailableError, or the signal's reason. */
export function openTcp(options: TransportOptions, address: ServerAddress, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ host: address.host, port: address.port, noDelay: true, keepAlive: true });
  return whenReady(socket, 'connect', 'connecting', options, address, signal);
}

/**
 * Encrypts a connection, for ldaps:// from its start and for StartTLS later. The certificate's chain and name are always checked,
 * addresses too. Throws SourceUnavailableError, or the signal's reason.
 */
export async function encrypt(
  socket: Socket,
  material: TlsMaterial,
  options: TransportOptions,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { name, sni } = certificateName(options, address);
  // From here on errors come out of the encrypted socket; one that the inner socket repeats must not end the process.
  socket.on('error', () => {});
  const secured = connectTls({
    socket,
    host: address.host,
    servername: sni ? name : '',
    minVersion: options.tls.minVersion ?? 'TLSv1.2',
    ...material,
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
  return whenReady(secured, 'secureConnect', tlsHandshake, options, address, signal);
}

/** Resolves with the socket after `event`; destroys it otherwise. */
export function whenReady<Ready extends Socket>(
  socket: Ready,
  event: 'connect' | 'secureConnect',
  step: string,
  options: TransportOptions,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<Ready> {
  const { promise, resolve, reject } = Promise.withResolvers<Ready>();
  const { connectMs } = options.timeouts;
  const timer = setTimeout(() => {
    reject(
      new SourceUnavailableError(`${address.url}: ${step} failed: no answer within ${connectMs} ms`, {
        hint: "check the URL's host and port and the firewalls in between, or raise timeouts.connect",
        elsewhere: true,
      }),
    );
  }, connectMs);
  const onReady = () => resolve(socket);
  const onError = (error: Error) => reject(connectError(address.url, step, error));
  const onClose = () => reject(connectError(address.url, step, { code: 'ECONNRESET' }));
  const onAbort = () => reject(signal.reason);
  socket.once(event, onReady).once('error', onError).once('close', onClose);
  signal.addEventListener('abort', onAbort);
  return promise
    .catch((error: unknown) => {
      socket.on('error', () => {});
      socket.destroy();
      throw error;
    })
    .finally(() => {
      clearTimeout(timer);
      socket.off(event, onReady).off('error', onError).off('close', onClose);
      signal.removeEventListener('abort', onAbort);
    });
}
