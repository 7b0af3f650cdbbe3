import { statSync } from 'node:fs';
import type { Secret } from '../domain/secret.ts';
import { ConfigError } from '../errors.ts';
import type { Configuration } from './configuration.ts';
import { isReadableOnTheWay } from './schema/source-ldap-servers.ts';
import { isReadableOnTheWay as isHttpOnTheWay } from './schema/values.ts';

function secretsOf(configuration: Configuration): readonly (readonly [path: string, secret: Secret])[] {
  const { oauth } = configuration.twilio;
  const { source } = configuration;
  const password = source.type === 'ldap' ? source.options.bindPassword : undefined;
  return [
    ['twilio.oauth.clientId', oauth.clientId],
    ['twilio.oauth.clientSecret', oauth.clientSecret],
    ...(password === undefined ? [] : [['source.bindPassword', password] as const]),
    ...configuration.notify.flatMap(({ url, secret }, index) => [
      [`notify[${index}].url`, url] as const,
      ...(secret === undefined ? [] : [[`notify[${index}].secret`, secret] as const]),
    ]),
  ];
}

export interface SecretCheck {
  readonly path: string;
  readonly reference: string;
  readonly resolves: boolean;
  /** Why it does not resolve. */
  readonly message?: string;
  readonly hint?: string;
}

/** Says of each secret whether it can be read now. The values are dropped. */
export function checkSecrets(configuration: Configuration): readonly SecretCheck[] {
  return secretsOf(configuration).map(([path, secret]) => {
    const { reference } = secret;
    try {
      secret.read();
      return { path, reference, resolves: true };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      return { path, reference, resolves: false, message: error.issues[0]?.message ?? error.message, ...hint };
    }
  });
}

export interface SecretNotice {
  readonly path: string;
  readonly message: string;
  readonly hint: string;
}

/** What works but exposes a secret: a file that every user of the machine can read, a password sent in clear text. */
export function secretNotices(configuration: Configuration): readonly SecretNotice[] {
  const notices: SecretNotice[] = [];
  const key = configuration.source.type === 'ldap' ? configuration.source.options.tls.keyFile : undefined;
  const files = [
    ...secretsOf(configuration).map(([path, { reference, file }]) => ({ path, reference, file })),
    { path: 'source.tls.keyFile', reference: key, file: key },
  ];
  for (const { path, reference, file } of files) {
    const mode = file === undefined ? undefined : modeOf(file);
    if (mode !== undefined && (mode & 0o004) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0');
      notices.push({
        path,
        message: `${reference}: every user of this machine can read the file (mode ${octal})`,
        hint: `chmod o-r ${file}`,
      });
    }
  }
  return [...notices, ...clearTextNotices(configuration)];
}

/** What was let through on purpose, and should be said again and again. */
export function clearTextNotices(configuration: Configuration): readonly SecretNotice[] {
  const notices: SecretNotice[] = [];
  for (const [name, address] of Object.entries(configuration.twilio.endpoints)) {
    if (!isHttpOnTheWay(String(address))) continue;
    notices.push({
      path: `twilio.endpoints.${name}`,
      message: `the client secret and the tokens travel to ${address} in clear text (insecureHttp)`,
      hint: 'Use an https:// address, and remove twilio.endpoints.insecureHttp.',
    });
  }
  if (configuration.source.type === 'ldap') {
    const { options } = configuration.source;
    for (const url of options.urls) {
      if (options.bindPassword === undefined || options.tls.startTls || !isReadableOnTheWay(url)) continue;
      notices.push({
        path: 'source.url',
        message: `the password of bindDn is sent to ${url} in clear text (insecureClearText)`,
        hint: 'Use an ldaps:// URL, or set source.tls.startTls to true, and remove source.tls.insecureClearText.',
      });
    }
  }
  return notices;
}

/** Undefined when the file cannot be looked at: that is for reading to say. */
function modeOf(file: string): number | undefined {
  try {
    return statSync(file).mode;
  } catch {
    return undefined;
  }
}
