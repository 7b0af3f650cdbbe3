/**
 * A look at the certificates that each server shows, trusted or not, for diagnosis. This is the only place where an untrusted
 * handshake goes on, and it goes nowhere: nothing is sent on the connection but, where configured, the request for StartTLS
 * before it, and it is closed right after.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceError, SourceUnavailableError } from '../../errors.ts';
import { requestStartTls } from './bind.ts';
import { type ChainLink, chainOf, linkOf } from './certificate-chain.ts';
import { connectError, tlsHandshake } from './connect-errors.ts';
import { createExchange } from './exchange.ts';
import { certificateName, checkOptions, type ServerAddress } from './options.ts';
import { createServers, type Outside } from './servers.ts';
import { readTlsMaterial, type TlsMaterial } from './tls-files.ts';
import { openTcp, whenReady } from './transport.ts';

type Versions = Pick<SecureContextOptions, 'minVersion' | 'ciphers'>;

const oldest = 'TLSv1.2';

export interface Inspection {
  readonly url: string;
  /** `TLSv1.3`; undefined when the connection is not encrypted, or there is none. */
  readonly protocol?: string;
  /** What the server shows, its own certificate first. */
  readonly chain: readonly ChainLink[];
  /** Why a read would not use this server. */
  readonly problem?: SourceError;
}

/** Every server that the options name, looked at all at once. Throws ConfigError, and the signal's reason. */
export async function inspectServers(
  options: LdapOptions,
  outside: Outside,
  signal: AbortSignal,
): Promise<readonly Inspection[]> {
  const inspections: Promise<Inspection>[] = [];
  const servers = createServers(checkOptions(options), options, outside);
  const lookUpFailed = (error: unknown) => {
    inspections.push(Promise.resolve(failed(options.urls.join(' or '), error)));
  };
  for await (const address of servers.candidates(signal, lookUpFailed)) {
    inspections.push(inspect(options, address, signal).catch((error: unknown) => failed(address.url, error)));
  }
  return Promise.all(inspections);
}

function failed(url: string, error: unknown): Inspection {
  if (!(error instanceof SourceError)) throw error;
  return { url, chain: [], problem: error };
}

/** Our own certificate; undefined when none is configured. Throws SourceUnavailableError when it or its key cannot be used. */
export function inspectOwnCertificate({ tls }: LdapOptions): ChainLink | undefined {
  if (tls.certFile === undefined) return undefined;
  readTlsMaterial('our own certificate', { ...tls, systemStore: false });
  return linkOf(new X509Certificate(readFileSync(tls.certFile)));
}

async function inspect(options: LdapOptions, address: ServerAddress, signal: AbortSignal): Promise<Inspection> {
  const { url } = address;
  if (!address.secure && !options.tls.startTls) {
    (await openTcp(options, address, signal)).destroy();
    return { url, chain: [] };
  }
  try {
    return await look(options, address, {}, signal);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return (await lookWithOldVersions(options, address, error, signal)) ?? { url, chain: [], problem: error };
  }
}

/** Tells a server that is too old from one that is not there. */
async function lookWithOldVersions(
  options: LdapOptions,
  address: ServerAddress,
  error: SourceError,
  signal: AbortSignal,
): Promise<Inspection | undefined> {
  try {
    const found = await look(options, address, { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }, signal);
    const { minVersion = oldest } = options.tls;
    const reason = `the TLS versions do not match: the server speaks ${found.protocol}, tls.minVersion is ${minVersion}`;
    const hint = 'let the server speak a newer version, or lower tls.minVersion';
    return { ...found, problem: new SourceUnavailableError(`${address.url}: ${reason}`, { hint, cause: error }) };
  } catch (second) {
    signal.throwIfAborted();
    if (second instanceof SourceError) return undefined;
    throw second;
  }
}

async function look(
  options: LdapOptions,
  address: ServerAddress,
  versions: Versions,
  signal: AbortSignal,
): Promise<Inspection> {
  const { url } = address;
  // Our own certificate stays here: what the server shows does not depend on it.
  const { certFile: _certFile, keyFile: _keyFile, ...tls } = options.tls;
  const trust = readTlsMaterial(url, tls);
  const tcp = await openTcp(options, address, signal);
  const clear = address.secure ? tcp : await startTls(tcp, options, address);
  const socket = await handshake(clear, { ...trust, ...versions }, options, address, signal);
  const certificate = socket.getPeerCertificate(true);
  const protocol = socket.getProtocol() ?? '';
  const { authorized, authorizationError } = socket;
  socket.destroy();
  const found = { url, protocol, chain: chainOf(certificate) };
  if (authorized) return found;
  const { name: host } = certificateName(options, address);
  const code = String(authorizationError);
  return { ...found, problem: connectError(url, tlsHandshake, { code, cert: certificate, host }) };
}

async function startTls(tcp: Socket, options: LdapOptions, address: ServerAddress): Promise<Socket> {
  const exchange = createExchange(tcp);
  try {
    await requestStartTls(exchange, options, address);
    return exchange.detach();
  } catch (error) {
    exchange.close();
    throw error instanceof SourceError ? error : connectError(address.url, 'StartTLS', error);
  }
}

function handshake(
  socket: Socket,
  settings: TlsMaterial & Versions,
  options: LdapOptions,
  address: ServerAddress,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { name, sni } = certificateName(options, address);
  socket.on('error', () => {});
  const secured = connectTls({
    socket,
    host: address.host,
    servername: sni ? name : '',
    minVersion: options.tls.minVersion ?? oldest,
    ...settings,
    rejectUnauthorized: false,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
  });
  return whenReady(secured, 'secureConnect', tlsHandshake, options, address, signal);
}
