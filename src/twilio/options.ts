import { ConfigError, type ConfigIssue } from '../errors.ts';
import type { TwilioOptions } from './twilio-target.ts';

/** Throws ConfigError naming every option that cannot work, under its path in the configuration file. */
export function checkOptions({ organization, endpoints, insecureHttp = false, limits }: TwilioOptions): void {
  const issues: ConfigIssue[] = [];
  const check = (path: string, problem: string | undefined) => {
    if (problem !== undefined) issues.push({ path: `twilio.${path}`, message: problem });
  };
  check('organizationSid', /^OR[0-9a-fA-F]{32}$/.test(organization) ? undefined : 'must be OR and 32 hex digits');
  for (const name of ['iam', 'oauth', 'accounts'] as const) {
    check(`endpoints.${name}`, problemOf(endpoints[name], insecureHttp));
  }
  const { requestsPerSecond, maxConcurrent, timeoutMs } = limits;
  check(
    'limits.requestsPerSecond',
    requestsPerSecond > 0 && Number.isFinite(requestsPerSecond) ? undefined : 'must be a number above 0',
  );
  check(
    'limits.maxConcurrent',
    Number.isSafeInteger(maxConcurrent) && maxConcurrent > 0 ? undefined : 'must be a whole number from 1',
  );
  check('limits.timeout', timeoutMs > 0 && Number.isFinite(timeoutMs) ? undefined : 'must be longer than 0');
  if (issues.length > 0) throw new ConfigError(issues);
}

/** A token sent in the clear is a token given away, so http is for this machine only (a simulator), unless somebody insists. */
function problemOf(text: string, insecureHttp: boolean): string | undefined {
  const url = URL.parse(text);
  if (url === null) return `${JSON.stringify(text)} is not a URL`;
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
  if (url.search !== '' || url.hash !== '') return 'must be a base URL, without ? and #';
  if (url.protocol === 'https:' || (url.protocol === 'http:' && (insecureHttp || isLoopback(url.hostname))))
    return undefined;
  return `${url.origin} must be https: the access token would travel unprotected`;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
