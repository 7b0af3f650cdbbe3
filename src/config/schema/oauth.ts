/** How the program gets its tokens. One section with a grant type, not a union: so a missing key is named by its own path. */
import * as z from 'zod';
import { isLoopback } from '../loopback.ts';
import { isSecretReference, secretPattern } from '../secrets.ts';
import { path, secret, text, whenObject } from './values.ts';

const clientId = z
  .string()
  .refine((value) => isSecretReference(value) || /^OQ[0-9a-f]{32}$/.test(value), {
    error: `must be OQ followed by 32 digits 0-9 or a-f, or a reference to it: \${env:NAME} or \${file:/path}`,
  })
  .meta({
    title: 'OQ SID or secret reference',
    pattern: `^OQ[0-9a-f]{32}$|${secretPattern.source}`,
    description: 'Client id of the OAuth app that was made for this program in the organization.',
    examples: [`\${env:TWILIO_CLIENT_ID}`],
  });

const redirectUri = z
  .string()
  .refine(isRedirectUri, {
    error: 'must be https://…, or http://127.0.0.1:PORT/… (RFC 8252 section 7.3), without a user name and without #',
  })
  .meta({
    title: 'URL',
    description:
      'Redirect URL that is registered with the OAuth app, letter by letter. On `http://127.0.0.1:PORT/…` or `http://localhost:PORT/…`, `tdsync authorize` waits for the browser itself; with any other URL it asks for the address that the browser ended up at. Only with `authorization_code`, which needs it.',
    examples: ['http://127.0.0.1:8581/callback'],
  });

const ofCodeGrant = ['redirectUri', 'tokenFile', 'approvedBy'] as const;
const needed = ['redirectUri', 'approvedBy'] as const;

export const oauth = z
  .strictObject({
    grantType: z.enum(['client_credentials', 'authorization_code']).default('client_credentials').meta({
      description:
        'How a token is asked for: with the secret of the app alone (RFC 6749 section 4.4), or with the approval that a person gave to `tdsync authorize` (section 4.1).',
    }),
    clientId,
    clientSecret: secret().meta({
      description: 'Client secret of that app. Read anew for each token, so that rotation needs no restart.',
      examples: [`\${file:/run/secrets/twilio_client_secret}`],
    }),
    redirectUri: redirectUri.optional(),
    tokenFile: path()
      .optional()
      .meta({
        description:
          'Where `tdsync authorize` keeps the refresh token, with mode 0600; its folder must be writable. Default: `tdsync-token.json` beside the snapshot. Only with `authorization_code`.',
        examples: ['../data/tdsync-token.json'],
      }),
    approvedBy: text('address or US SID')
      .optional()
      .meta({
        description:
          'The Twilio user who approves, or approved, the app: by address or user SID. Never changed, as if `policy.protect` named this person, because Twilio ends the access when the user is deactivated. Only with `authorization_code`, which needs it.',
        examples: ['tdsync-service@corp.example'],
      }),
  })
  .superRefine(
    (value, context) => {
      const complain = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
      if (value.grantType === 'authorization_code') {
        for (const key of needed) {
          if (value[key] === undefined) complain(key, 'is required with `grantType: authorization_code`');
        }
        return;
      }
      for (const key of ofCodeGrant) {
        if (value[key] !== undefined) complain(key, 'belongs to `grantType: authorization_code`');
      }
    },
    { when: whenObject },
  )
  .meta({ description: 'How the program proves to Twilio who it is.' });

/** A code that travels in the clear could be read on its way, so http is for this machine only. */
function isRedirectUri(value: string): boolean {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || value.includes('#')) return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname) && url.port !== '');
}
