import * as z from 'zod';
import { noticeEvents, noticeFormats } from '../../domain/notice.ts';
import { parseDuration } from '../durations.ts';
import { isHookUrl } from '../hook-url.ts';
import { isSecretReference, secretPattern } from '../secrets.ts';
import { duration, secret } from './values.ts';

const url = z
  .string()
  .refine((value) => isSecretReference(value) || isHookUrl(value), {
    error: `must be a reference, \${env:NAME} or \${file:/path}, or an https:// URL without user and password (http:// only for this machine: 127.0.0.1, localhost)`,
  })
  .meta({
    title: 'URL or secret reference',
    pattern: `^https?://|${secretPattern.source}`,
    description: 'Where to post to. A URL that holds a token, as those of Slack do, belongs into a reference.',
    examples: [`\${env:HOOK_URL}`],
  });

/** A run waits for its hooks, so one must not be waited for long. */
const longestTimeoutMs = 30_000;

const hook = z.strictObject({
  url,
  on: z
    .array(z.enum(noticeEvents))
    .min(1)
    .default([...noticeEvents])
    .meta({
      title: 'list',
      description:
        'What to tell of: a guard refused the plan, a run failed, some operations did not succeed, and the first good run after what was told. Each once, not at every run.',
      examples: [['refused', 'failed', 'recovered']],
    }),
  format: z.enum(noticeFormats).default('json').meta({
    description: 'A JSON document for programs, or a text as Slack and what is compatible with it take it.',
  }),
  secret: secret()
    .optional()
    .meta({
      description: 'Key of the signature (HMAC-SHA-256) by which the receiver knows that it was us. Not set: none.',
      examples: [`\${file:/run/secrets/hook_secret}`],
    }),
  timeout: duration()
    .refine((value) => (parseDuration(value) ?? 0) <= longestTimeoutMs, { error: 'must be at most 30s' })
    .default('5s')
    .meta({ description: 'How long one attempt may take; there are three. At most 30s.' }),
});

export const notify = z
  .array(hook)
  .refine((hooks) => new Set(hooks.map(({ url, format }) => `${url} ${format}`)).size === hooks.length, {
    error: 'names one place twice in the same format',
  })
  .default([])
  .meta({ title: 'list', description: 'Hooks: who is told, by HTTP, of runs that went wrong.' });
