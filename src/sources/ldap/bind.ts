/** What is said on a connection before the first search: StartTLS, and who we are (RFC 4511 section 4.2, RFC 4513). */
import { BindRequest, ExtendedRequest } from 'ldapts';
import type { LdapOptions } from '../../domain/ldap-options.ts';
import { SourceUnavailableError } from '../../errors.ts';
import { activeDirectoryRemedy } from './active-directory-errors.ts';
import type { Exchange } from './exchange.ts';
import type { LdapResult } from './ldap-result.ts';
import type { ServerAddress } from './options.ts';
import { describeResultCode, formatResultCode, isServerTrouble } from './result-codes.ts';

const startTlsOid = '1.3.6.1.4.1.1466.20037';

/** Throws SourceUnavailableError when the server does not want to. Nothing else is sent then. */
export async function requestStartTls(
  exchange: Exchange,
  { timeouts }: Pick<LdapOptions, 'timeouts'>,
  address: ServerAddress,
): Promise<void> {
  const request = new ExtendedRequest({ messageId: exchange.nextMessageId(), oid: startTlsOid });
  const result = await exchange.request(request, timeouts.connectMs);
  if (result.code === 0) return;
  throw new SourceUnavailableError(`${address.url}: the server refuses StartTLS: ${describeResult(result)}`, {
    hint: 'give the server a certificate and let it offer StartTLS, or use ldaps://; nothing was sent in clear text',
    elsewhere: isServerTrouble(result.code),
  });
}

/**
 * Says who we are: by name and password, or, without a name, by the client certificate when there is one (SASL EXTERNAL).
 * With neither the read is anonymous. Throws SourceUnavailableError.
 */
export async function bind(exchange: Exchange, options: LdapOptions, address: ServerAddress): Promise<void> {
  if ((options.bindDn ?? '') !== '') await bindByPassword(exchange, options, options.bindDn ?? '', address);
  else if (options.tls.certFile !== undefined) await bindByCertificate(exchange, options, address);
}

async function bindByPassword(
  exchange: Exchange,
  options: LdapOptions,
  dn: string,
  address: ServerAddress,
): Promise<void> {
  const password = options.bindPassword?.read() ?? '';
  if (password === '') {
    // Many servers take this for an anonymous bind, say success, and then show less (RFC 4513 section 5.1.2).
    throw new SourceUnavailableError(`${address.url}: no bind as ${dn}: the password is empty`, {
      hint: `give ${options.bindPassword?.reference ?? 'bindPassword'} a value; leave out bindDn for an anonymous read`,
    });
  }
  exchange.conceal(password);
  const request = new BindRequest({ messageId: exchange.nextMessageId(), dn, password });
  const result = await exchange.request(request, options.timeouts.connectMs);
  if (result.code === 0) return;
  throw new SourceUnavailableError(`${address.url}: the server refuses the bind as ${dn}: ${describeResult(result)}`, {
    hint: activeDirectoryRemedy(result.message) ?? describeResultCode(result.code).remedy,
    elsewhere: isServerTrouble(result.code),
  });
}

async function bindByCertificate(exchange: Exchange, options: LdapOptions, address: ServerAddress): Promise<void> {
  const request = new BindRequest({ messageId: exchange.nextMessageId(), mechanism: 'EXTERNAL' });
  const result = await exchange.request(request, options.timeouts.connectMs);
  if (result.code === 0) return;
  throw new SourceUnavailableError(
    `${address.url}: the server refuses the bind by client certificate (SASL EXTERNAL): ${describeResult(result)}`,
    {
      hint: 'let the server ask for client certificates, trust the CA of tls.certFile and map its subject to an account (OpenLDAP: TLSVerifyClient, authz-regexp); or set bindDn and bindPassword',
      elsewhere: isServerTrouble(result.code),
    },
  );
}

/** `invalidCredentials (49): the server's words`. */
export function describeResult(result: LdapResult): string {
  return `${formatResultCode(result.code)}${result.message === '' ? '' : `: ${result.message}`}`;
}
