/** HTTPS_PROXY and HTTP_PROXY, in either letter case, as far as they concern more than the connection itself. */
import { ConfigError } from '../errors.ts';
import { rememberSecret } from './redaction.ts';

type Environment = Readonly<Record<string, string | undefined>>;

function proxiesIn(environment: Environment): readonly (readonly [name: string, value: string])[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    /^https?_proxy$/i.test(name) && value !== undefined && value !== '' ? [[name, value] as const] : [],
  );
}

/** User and password of a proxy stand in the environment as they are: no output repeats them. */
export function rememberProxies(environment: Environment): void {
  for (const [, value] of proxiesIn(environment)) {
    const userInfo = /^(?:[a-z][a-z\d+.-]*:\/\/)?(\S*)@/i.exec(value)?.[1];
    if (userInfo === undefined) continue;
    const password = userInfo.slice(userInfo.indexOf(':') + 1);
    for (const secret of [userInfo, password, decoded(password)]) rememberSecret(secret);
  }
}

/** Throws ConfigError for a value that is no proxy, without repeating it. */
export function checkProxies(environment: Environment): void {
  const issues = proxiesIn(environment).flatMap(([name, value]) =>
    /^https?:$/.test(URL.parse(value)?.protocol ?? '')
      ? []
      : [{ path: '', message: `the environment variable ${name} is not the URL of a proxy` }],
  );
  if (issues.length === 0) return;
  throw new ConfigError(issues, {
    hint: 'Write it as http://host:port or http://user:password@host:port, with %XX for what is no letter or digit.',
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
