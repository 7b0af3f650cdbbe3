import { SourceUnavailableError } from '../../errors.ts';

/** Why a connection failed: a clause for a sentence, and what to try. */
interface Cause {
  readonly reason: string;
  readonly hint: string;
}

const trustCa = 'set tls.caFile to the PEM file of the CA that signed the server certificate';
const checkPort = 'check the port: ldaps:// is usually 636, ldap:// (with StartTLS or without TLS) 389';
const checkRoute = "check the URL's host and port, that the server runs, and that no firewall is in between";
const protocolVersions =
  'server and client have no TLS version or cipher in common: upgrade the server, or check tls.minVersion';

const causes: Readonly<Record<string, Cause>> = {
  ECONNREFUSED: { reason: 'connection refused', hint: checkRoute },
  ETIMEDOUT: { reason: 'no answer', hint: checkRoute },
  EHOSTUNREACH: { reason: 'no route to the host', hint: checkRoute },
  ENETUNREACH: { reason: 'no route to the network', hint: checkRoute },
  ENOTFOUND: { reason: 'the host name is unknown', hint: "check the URL's host name and DNS" },
  EAI_AGAIN: { reason: 'the host name cannot be resolved at the moment', hint: 'check DNS' },
  ECONNRESET: { reason: 'the server closed the connection', hint: checkPort },
  EPIPE: { reason: 'the server closed the connection', hint: checkPort },
  CERT_HAS_EXPIRED: {
    reason: 'the server certificate, or one in its chain, has expired',
    hint: 'renew it on the server, and check the clocks',
  },
  CERT_NOT_YET_VALID: { reason: 'the server certificate is not valid yet', hint: 'check the clocks of both machines' },
  CERT_REVOKED: { reason: 'the server certificate is revoked', hint: 'replace it on the server' },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: { reason: 'the server certificate is signed by an unknown CA', hint: trustCa },
  UNABLE_TO_GET_ISSUER_CERT: { reason: 'the server certificate is signed by an unknown CA', hint: trustCa },
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: { reason: 'the server certificate is signed by an unknown CA', hint: trustCa },
  SELF_SIGNED_CERT_IN_CHAIN: { reason: 'the server certificate is signed by an unknown CA', hint: trustCa },
  DEPTH_ZERO_SELF_SIGNED_CERT: { reason: 'the server certificate is self-signed and not trusted', hint: trustCa },
  CERT_SIGNATURE_FAILURE: { reason: 'the signature of the server certificate is wrong', hint: trustCa },
  INVALID_PURPOSE: {
    reason: 'the server certificate is not made for servers',
    hint: 'issue it with extendedKeyUsage serverAuth',
  },
  ERR_SSL_WRONG_VERSION_NUMBER: { reason: 'the server does not speak TLS on this port', hint: checkPort },
  ERR_SSL_PACKET_LENGTH_TOO_LONG: { reason: 'the server does not speak TLS on this port', hint: checkPort },
  ERR_SSL_UNSUPPORTED_PROTOCOL: { reason: 'the TLS versions do not match', hint: protocolVersions },
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: { reason: 'the TLS versions do not match', hint: protocolVersions },
  ERR_SSL_NO_PROTOCOLS_AVAILABLE: { reason: 'the TLS versions do not match', hint: protocolVersions },
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: { reason: 'the TLS handshake failed', hint: protocolVersions },
  ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE: { reason: 'the TLS handshake failed', hint: protocolVersions },
};

/** `step` is what was tried: `connecting`, `the TLS handshake`. */
export function connectError(url: string, step: string, error: unknown): SourceUnavailableError {
  const code = errorCode(error);
  const detail = error as { message?: string; reason?: string };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new SourceUnavailableError(
      `${url}: ${step} failed: the server certificate is for another name: ${detail.reason ?? detail.message ?? ''}`,
      {
        hint: 'use a name in url that the certificate carries, or set tls.serverName to one of its names',
        cause: error,
      },
    );
  }
  const cause = causes[code];
  const reason = cause === undefined ? detail.message || code || 'unknown reason' : `${cause.reason} (${code})`;
  return new SourceUnavailableError(`${url}: ${step} failed: ${reason}`, {
    hint: cause?.hint ?? checkRoute,
    cause: error,
  });
}

/** A name with several addresses fails with one error for all of them. */
function errorCode(error: unknown): string {
  const { code, errors } = error as { code?: unknown; errors?: readonly { code?: unknown }[] };
  const found = code ?? errors?.find((one) => one.code !== undefined)?.code;
  return typeof found === 'string' ? found : '';
}
