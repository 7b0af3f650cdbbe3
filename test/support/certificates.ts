import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Files of a certificate and its key, PEM. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

function openssl(args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const;

/** A CA of its own, trusted by nobody who does not name its file. */
export function makeCa(folder: string, name: string): CertificateFiles {
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  openssl([
    ...['req', '-x509', ...keyOptions, '-days', '30', '-subj', `/CN=${name}`],
    ...['-addext', 'basicConstraints=critical,CA:TRUE', '-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-keyout', files.keyFile, '-out', files.certFile],
  ]);
  return files;
}

/** A server certificate. `names` as in openssl's subjectAltName: `DNS:localhost`, `IP:127.0.0.1`. Negative `days`: expired. */
export function makeServerCertificate(
  folder: string,
  ca: CertificateFiles,
  name: string,
  names: readonly string[],
  days = 30,
): CertificateFiles {
  const extensions = `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`;
  return sign(folder, ca, name, extensions, ['-days', String(days)]);
}

/** A server certificate that nobody signed but itself. */
export function makeSelfSigned(folder: string, name: string, names: readonly string[]): CertificateFiles {
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  openssl([
    ...['req', '-x509', ...keyOptions, '-days', '30', '-subj', `/CN=${name}`],
    ...['-addext', `subjectAltName=${names.join(',')}`, '-addext', 'extendedKeyUsage=serverAuth'],
    ...['-keyout', files.keyFile, '-out', files.certFile],
  ]);
  return files;
}

/** A certificate that says who a client is: `cn=name`. Negative `days`: expired. */
export function makeClientCertificate(folder: string, ca: CertificateFiles, name: string, days = 30): CertificateFiles {
  return sign(folder, ca, name, 'extendedKeyUsage=clientAuth\n', ['-days', String(days)]);
}

/** A server certificate whose time has not come. */
export function makeFutureCertificate(
  folder: string,
  ca: CertificateFiles,
  name: string,
  names: readonly string[],
): CertificateFiles {
  const extensions = `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`;
  return sign(folder, ca, name, extensions, { startdate: '20900101000000Z', enddate: '20910101000000Z' });
}

interface Dates {
  readonly startdate: string;
  readonly enddate: string;
}

function sign(
  folder: string,
  ca: CertificateFiles,
  name: string,
  extensions: string,
  validity: readonly string[] | Dates,
): CertificateFiles {
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  const request = join(folder, `${name}.csr`);
  const extensionFile = join(folder, `${name}.ext`);
  writeFileSync(extensionFile, extensions);
  openssl(['req', ...keyOptions, '-subj', `/CN=${name}`, '-keyout', files.keyFile, '-out', request]);
  if (!('startdate' in validity)) {
    openssl([
      ...['x509', '-req', '-in', request, '-CA', ca.certFile, '-CAkey', ca.keyFile, '-CAcreateserial'],
      ...[...validity, '-extfile', extensionFile, '-out', files.certFile],
    ]);
    return files;
  }
  // Only `openssl ca` sets the beginning, and it wants a folder of its own.
  const books = join(folder, `${name}.ca`);
  mkdirSync(books);
  writeFileSync(join(books, 'index.txt'), '');
  writeFileSync(
    join(books, 'ca.cnf'),
    `[ca]\ndefault_ca=it\n[it]\ndatabase=${books}/index.txt\nnew_certs_dir=${books}\nrand_serial=yes\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n`,
  );
  openssl([
    ...['ca', '-batch', '-notext', '-config', join(books, 'ca.cnf'), '-cert', ca.certFile, '-keyfile', ca.keyFile],
    ...['-startdate', validity.startdate, '-enddate', validity.enddate],
    ...['-extfile', extensionFile, '-in', request, '-out', files.certFile],
  ]);
  return files;
}
