import type { Reach } from './retry.ts';

/** A request that got no whole answer. Internal to this folder: callers see TargetUnavailableError. */
export class NetworkFailure extends Error {
  readonly reach: Reach;
  /** Of Node, OpenSSL or undici: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`, `UND_ERR_HEADERS_TIMEOUT` … */
  readonly code: string;

  constructor(reach: Reach, code: string, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'NetworkFailure';
    this.reach = reach;
    this.code = code;
  }
}

const unsentCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_CONN',
]);

/** Codes of Node's TLS and of OpenSSL's certificate checks (Node documentation, "X509 certificate error codes"). */
export function isTlsCode(code: string): boolean {
  return (
    /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CRL_|ERROR_IN_C)/.test(code) ||
    [
      'HOSTNAME_MISMATCH',
      'INVALID_CA',
      'INVALID_PURPOSE',
      'PATH_LENGTH_EXCEEDED',
      'EPROTO',
      'UND_ERR_PRX_TLS',
    ].includes(code)
  );
}

export function networkFailure(error: unknown): NetworkFailure {
  const { code: raw, syscall, message } = describe(error);
  const reach = reachOf(raw, syscall, message);
  return new NetworkFailure(reach, raw, message, error);
}

function reachOf(code: string, syscall: string | undefined, message: string): Reach {
  if (isTlsCode(code)) return 'tls';
  if (unsentCodes.has(code) || syscall === 'connect' || syscall === 'getaddrinfo') return 'unsent';
  // undici reports a proxy that refuses the tunnel as an aborted request.
  return message.startsWith('Proxy response') ? 'unsent' : 'lost';
}

/** Several addresses tried give an AggregateError whose message is empty; the first inner one speaks for it. */
function describe(error: unknown): { code: string; syscall: string | undefined; message: string } {
  const inner = error instanceof AggregateError && error.message === '' ? error.errors[0] : error;
  const { code, syscall, message } = inner as { code?: unknown; syscall?: unknown; message?: unknown };
  return {
    code: typeof code === 'string' ? code : 'UNKNOWN',
    syscall: typeof syscall === 'string' ? syscall : undefined,
    message: typeof message === 'string' && message !== '' ? message : String(inner),
  };
}
