import { statSync } from 'node:fs';
import { ldapOutside } from '../compose.ts';
import type { Check } from './doctor.ts';
import type { Session } from './session.ts';

/** How long before its end a certificate is spoken of, in milliseconds. */
const renewalMs = 21 * 24 * 60 * 60_000;

/**
 * Each server of an LDAP source with the certificates it shows, trusted or not, and our own. A server that cannot be used is a
 * warning while another one can: the read fails over.
 */
export async function checkServers({ configuration: { source }, rim }: Session, signal: AbortSignal): Promise<Check[]> {
  if (source.type !== 'ldap') return [];
  const [{ inspectOwnCertificate, inspectServers }, { describeLink }] = await Promise.all([
    import('../sources/ldap/inspect.ts'),
    import('../sources/ldap/certificate-chain.ts'),
  ]);
  const now = rim.clock.now();
  const ends = (certificate: { readonly validFrom: number; readonly validTo: number }) =>
    now > certificate.validTo || now < certificate.validFrom
      ? 'failed'
      : now > certificate.validTo - renewalMs
        ? 'warning'
        : 'ok';
  const checks: Check[] = [];
  const own = inspectOwnCertificate(source.options);
  if (own !== undefined) {
    const state = ends(own);
    const hint = state === 'ok' ? {} : { hint: 'renew the certificate of tls.certFile' };
    checks.push({ check: 'client certificate', state, message: describeLink(own, now), ...hint });
  }
  checks.push(...checkKeyMode(source.options.tls.keyFile));
  const inspections = await inspectServers(source.options, ldapOutside(rim), signal);
  const anyWorks = inspections.some(({ problem }) => problem === undefined);
  for (const { url, protocol, chain, problem } of inspections) {
    if (problem === undefined) {
      const message =
        protocol === undefined ? `${url} answers; not encrypted` : `${url} answers with ${protocol}, trusted`;
      checks.push({ check: 'server', state: 'ok', message });
    } else {
      const hint = problem.hint === undefined ? {} : { hint: problem.hint };
      checks.push({ check: 'server', state: anyWorks ? 'warning' : 'failed', message: problem.message, ...hint });
    }
    for (const [index, link] of chain.entries()) {
      const state = ends(link) === 'ok' ? 'ok' : 'warning';
      const hint = state === 'ok' ? {} : { hint: 'renew this certificate on the server' };
      checks.push({ check: 'certificate', state, message: `${index + 1}. ${describeLink(link, now)}`, ...hint });
    }
  }
  return checks;
}

function checkKeyMode(keyFile: string | undefined): Check[] {
  if (keyFile === undefined || (statSync(keyFile).mode & 0o007) === 0) return [];
  const message = `${keyFile} can be read by everybody on this machine`;
  return [{ check: 'file modes', state: 'warning', message, hint: `chmod o-rwx ${keyFile}` }];
}
