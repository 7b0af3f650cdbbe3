/**
 * Why a connection failed, from what sockets and TLS say.
 *
 * Alerts are what the server says about us, since certificates of servers are checked on this side: `certificate required`,
 * `unknown ca` and their like are its judgement of our client certificate. Their codes begin differently from version to
 * version of OpenSSL, so only what follows ALERT counts.
 */
import type { PeerCertificate } from 'node:tls';
import { SourceUnavailableError } from '../../errors.ts';
import { namesOf } from './certificate-chain.ts';

/** A clause for a sentence, and what to try. */
export interface Cause {
  readonly reason: string;
  readonly hint: string;
  /** The same at every server, or not to be tried at several. */
  readonly everywhere?: true;
}

const trustCa =
  'set tls.caFile to the PEM file of the CA that signed the server certificate; `tdsync doctor` shows the chain';
const checkPort = 'check the port: ldaps:// is usually 636, ldap:// (with StartTLS or without TLS) 389';
const checkRoute = "check the URL's host and port, that the server runs, and that no firewall is in between";
const protocolVersions =
  'server and client have no TLS version or cipher in common: upgrade the server, or check tls.minVersion';
const unknownCa: Cause = { reason: 'the server certificate is signed by an unknown CA', hint: trustCa };
const notTls: Cause = { reason: 'the server does not speak TLS on this port', hint: checkPort };
const closed: Cause = { reason: 'the server closed the connection', hint: checkPort };
const versions: Cause = { reason: 'the TLS versions do not match', hint: protocolVersions };

const causes: Readonly<Record<string, Cause>> = {
  ECONNREFUSED: { reason: 'connection refused', hint: checkRoute },
  ETIMEDOUT: { reason: 'no answer', hint: checkRoute },
  EHOSTUNREACH: { reason: 'no route to the host', hint: checkRoute },
  ENETUNREACH: { reason: 'no route to the network', hint: checkRoute },
  ENOTFOUND: { reason: 'the host name is unknown', hint: "check the URL's host name and DNS" },
  EAI_AGAIN: { reason: 'the host name cannot be resolved at the moment', hint: 'check DNS' },
  ECONNRESET: closed,
  EPIPE: closed,
  CERT_HAS_EXPIRED: {
    reason: 'the server certificate, or one in its chain, has expired',
    hint: 'renew it on the server, and check the clocks; `tdsync doctor` shows the chain',
  },
  CERT_NOT_YET_VALID: {
    reason: 'the server certificate, or one in its chain, is not valid yet',
    hint: 'check the clocks of both machines; `tdsync doctor` shows the chain',
  },
  CERT_REVOKED: { reason: 'the server certificate is revoked', hint: 'replace it on the server' },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT: unknownCa,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownCa,
  SELF_SIGNED_CERT_IN_CHAIN: unknownCa,
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: 'the server certificate is self-signed and not trusted', hint: trustCa },
  CERT_SIGNATURE_FAILURE: { reason: 'the signature of the server certificate is wrong', hint: trustCa },
  INVALID_PURPOSE: {
    reason: 'the server certificate is not made for servers',
    hint: 'issue it with extendedKeyUsage serverAuth',
  },
  INVALID_CA: {
    reason: 'a certificate that signed another one is no CA',
    hint: 'issue it with basicConstraints CA:TRUE',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: versions,
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: versions,
};

/** Some TLS libraries close without an alert (GnuTLS, with which Debian builds OpenLDAP). */
const closedInHandshake: Cause = {
  reason: 'the server closed the connection without saying why',
  hint:
    `${checkPort}; if it is right, the server wants another TLS version or cipher (tls.minVersion) or a client certificate (tls.certFile), ` +
    'or cannot use its own: `tdsync doctor` looks closer, and the log of the server says why',
};

export const tlsHandshake = 'the TLS handshake';

function refusedCertificate(
  why: string,
  hint = 'check tls.certFile, and which CA the server trusts for clients',
): Cause {
  return { reason: `the server refuses our client certificate (tls.certFile): ${why}`, hint, everywhere: true };
}

const demanded: Cause = {
  reason: 'the server demands a client certificate',
  hint: 'set tls.certFile and tls.keyFile to a certificate that the server accepts',
  everywhere: true,
};

const alerts: Readonly<Record<string, Cause>> = {
  PROTOCOL_VERSION: versions,
  HANDSHAKE_FAILURE: {
    reason: 'the TLS handshake failed',
    hint: `${protocolVersions}; a server that demands a client certificate (tls.certFile) may say the same`,
  },
  INSUFFICIENT_SECURITY: { reason: 'the TLS handshake failed', hint: protocolVersions },
  CERTIFICATE_REQUIRED: demanded,
  BAD_CERTIFICATE: refusedCertificate('it is damaged, missing or not accepted'),
  UNSUPPORTED_CERTIFICATE: refusedCertificate(
    'it is of an unsupported kind',
    'issue tls.certFile anew, with extendedKeyUsage clientAuth',
  ),
  CERTIFICATE_REVOKED: refusedCertificate('it is revoked'),
  CERTIFICATE_EXPIRED: refusedCertificate('it has expired', 'renew tls.certFile'),
  CERTIFICATE_UNKNOWN: refusedCertificate('it is not accepted'),
  UNKNOWN_CA: refusedCertificate('the server does not know the CA that signed it'),
  ACCESS_DENIED: refusedCertificate('access is denied'),
};

function causeOf(code: string, step: string): Cause | undefined {
  if ((code === 'ECONNRESET' || code === 'EPIPE') && step === tlsHandshake) return closedInHandshake;
  const alert = /^ERR_SSL_.*_ALERT_(.+)$/.exec(code)?.[1];
  return alert === undefined ? causes[code] : alerts[alert];
}

/** What the server says of the handshake in an alert; undefined for every other error code. */
export function alertOf(code: string | undefined): Cause | undefined {
  return code !== undefined && /^ERR_SSL_.*_ALERT_/.test(code) ? causeOf(code, tlsHandshake) : undefined;
}

/** `step` is what was tried: `connecting`, `the TLS handshake`. */
export function connectError(url: string, step: string, error: unknown): SourceUnavailableError {
  const code = errorCode(error);
  const detail = error as { message?: string; cert?: PeerCertificate; host?: string };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const names = detail.cert === undefined ? [] : namesOf(detail.cert.subject.CN, detail.cert.subjectaltname);
    const carried = names.length === 0 ? 'it carries no name' : `it carries ${names.join(', ')}`;
    return new SourceUnavailableError(
      `${url}: ${step} failed: the server certificate is for another name than ${detail.host ?? 'asked for'}: ${carried} (${code})`,
      {
        hint: 'use a name in url that the certificate carries, or set tls.serverName to one of its names',
        cause: error,
        elsewhere: true,
      },
    );
  }
  const cause = causeOf(code, step);
  const reason = cause === undefined ? detail.message || code || 'unknown reason' : `${cause.reason} (${code})`;
  return new SourceUnavailableError(`${url}: ${step} failed: ${reason}`, {
    hint: cause?.hint ?? checkRoute,
    cause: error,
    elsewhere: cause?.everywhere === undefined,
  });
}

/** A name with several addresses fails with one error for all of them. */
function errorCode(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly { code?: unknown }[] };
  const found = code ?? errors?.find((one) => one.code !== undefined)?.code;
  return typeof found === 'string' ? found : '';
}
