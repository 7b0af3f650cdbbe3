import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
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
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) };
  const request = join(folder, `${name}.csr`);
  const extensions = join(folder, `${name}.ext`);
  writeFileSync(extensions, `subjectAltName=${names.join(',')}\nextendedKeyUsage=serverAuth\n`);
  openssl(['req', ...keyOptions, '-subj', `/CN=${name}`, '-keyout', files.keyFile, '-out', request]);
  openssl([
    ...['x509', '-req', '-in', request, '-CA', ca.certFile, '-CAkey', ca.keyFile, '-CAcreateserial'],
    ...['-days', String(days), '-extfile', extensions, '-out', files.certFile],
  ]);
  return files;
}
