/**
 * What a TLS connection is made with: whom we trust, and who we are. The files are read at each connect, so that a renewed
 * certificate needs no restart.
 *
 * | caFile | systemStore | trusted are                                      |
 * |--------|-------------|--------------------------------------------------|
 * | –      | no          | the authorities that come with Node.js           |
 * | set    | no          | those of the file, nobody else                   |
 * | –      | yes         | those of the operating system                    |
 * | set    | yes         | both                                             |
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { getCACertificates, type SecureContextOptions } from 'node:tls';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../errors.ts';

export type TlsMaterial = Pick<SecureContextOptions, 'ca' | 'cert' | 'key'>;

/** Throws SourceUnavailableError naming the key and the file. */
export function readTlsMaterial(url: string, tls: LdapOptions['tls']): TlsMaterial {
  const ca = [
    ...(tls.caFile === undefined ? [] : [readCa(url, tls.caFile)]),
    ...(tls.systemStore ? systemAuthorities(url) : []),
  ];
  return {
    ...(ca.length === 0 ? {} : { ca }),
    ...(tls.certFile === undefined || tls.keyFile === undefined ? {} : readIdentity(url, tls.certFile, tls.keyFile)),
  };
}

function readCa(url: string, file: string): string {
  return read(url, 'tls.caFile', file, 'the CA certificate', (pem) => new X509Certificate(pem));
}

function systemAuthorities(url: string): readonly string[] {
  const authorities = getCACertificates('system');
  if (authorities.length > 0) return authorities;
  throw new SourceUnavailableError(`${url}: tls.systemStore is set, but the operating system trusts no authority`, {
    hint: "install the system's authorities (Debian: the package ca-certificates), or set tls.caFile",
  });
}

function readIdentity(url: string, certFile: string, keyFile: string): TlsMaterial {
  let certificate: X509Certificate | undefined;
  const cert = read(url, 'tls.certFile', certFile, 'our own certificate', (pem) => {
    certificate = new X509Certificate(pem);
  });
  let privateKey: KeyObject | undefined;
  const key = read(url, 'tls.keyFile', keyFile, 'the private key, without a pass phrase', (pem) => {
    privateKey = parseKey(pem);
  });
  if (certificate !== undefined && privateKey !== undefined && !certificate.checkPrivateKey(privateKey)) {
    throw new SourceUnavailableError(`${url}: tls.keyFile ${keyFile} is not the key of tls.certFile ${certFile}`, {
      hint: 'give the key that the certificate was requested with; in certFile our own certificate comes first, then its chain',
    });
  }
  return { cert, key };
}

function parseKey(pem: string): KeyObject {
  if (pem.includes('ENCRYPTED')) throw new Error('it is protected by a pass phrase');
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(pem)) throw new Error('it holds no PEM private key');
  return createPrivateKey(pem);
}

/** All authorities that an operating system trusts take some 250 KiB. */
const largest = 4 * 1024 * 1024;

/** The text of a PEM file that `parse` accepts. */
function read(url: string, name: string, file: string, what: string, parse: (pem: string) => unknown): string {
  try {
    if (statSync(file).size > largest) throw new Error('it is larger than 4 MiB');
    const pem = readFileSync(file, 'utf8');
    if (name !== 'tls.keyFile' && !pem.includes('-----BEGIN CERTIFICATE-----'))
      throw new Error('it holds no PEM certificate');
    parse(pem);
    return pem;
  } catch (error) {
    throw new SourceUnavailableError(`${url}: ${name} ${file} cannot be used: ${(error as Error).message}`, {
      hint: `${name} must be a readable PEM file with ${what}`,
      cause: error,
    });
  }
}
