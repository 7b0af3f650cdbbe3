import type { Finding } from './issues.ts';
import { formatPath, type Path } from './paths.ts';

const secretKeys = ['twilio.oauth.clientId', 'twilio.oauth.clientSecret', 'source.bindPassword'];
const secretItems = /^notify\[\d+\]\.(?:url|secret)$/;

function takesSecret(path: string): boolean {
  return secretKeys.includes(path) || secretItems.test(path);
}

/**
 * References where no secret is expected. Other tools fill them in everywhere; here they would be taken literally, so
 * that a filter would match nobody or a file would not be found.
 */
export function strayReferences(content: unknown): readonly Finding[] {
  return [...walk(content, [])];
}

function* walk(value: unknown, path: Path): Generator<Finding> {
  if (typeof value === 'string') {
    if (/\$\{(?:env|file):/.test(value) && !takesSecret(formatPath(path))) {
      const message = `cannot refer to \${env:…} or \${file:…}: only secrets can; config/README.md lists the environment variables that set other keys`;
      yield { path, message };
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      yield* walk(child, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  }
}
