import * as z from 'zod';
import { isSecretReference, secretPattern } from '../secrets.ts';
import { duration, endpoint, secret, sid, wholeNumber } from './values.ts';

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

const oauth = z
  .strictObject({
    grantType: z
      .enum(['client_credentials'])
      .default('client_credentials')
      .meta({ description: 'How a token is asked for (RFC 6749 section 4.4).' }),
    clientId,
    clientSecret: secret().meta({
      description: 'Client secret of that app. Read anew for each token, so that rotation needs no restart.',
      examples: [`\${file:/run/secrets/twilio_client_secret}`],
    }),
  })
  .meta({ description: 'How the program proves to Twilio who it is.' });

const endpoints = z
  .strictObject({
    generation: z.enum(['current', 'preview']).default('current').meta({
      description:
        'Which paths are spoken: `current` is what Twilio documents; `preview` the older ones, with the organization in the path. `preview` has no list of roles, so rules name them by their IX… SIDs.',
    }),
    iam: endpoint().optional().meta({
      description:
        'SCIM users, roles and role assignments; default https://iam.twilio.com, or https://preview-iam.twilio.com for `preview`.',
    }),
    oauth: endpoint().default('https://oauth.twilio.com').meta({ description: 'Tokens.' }),
    accounts: endpoint()
      .default('https://preview-iam.twilio.com')
      .meta({ description: 'The list of accounts, by which scopes can be named.' }),
  })
  .prefault({})
  .meta({
    description:
      'Where the three services are. To be changed only for a proxy, the simulator, or an organization that has the older paths alone.',
  });

const limits = z
  .strictObject({
    requestsPerSecond: z
      .number()
      .min(0.1)
      .max(100)
      .default(5)
      .meta({ title: 'number', description: 'Requests started per second, over all services.' }),
    maxConcurrent: wholeNumber(1, 20).default(2).meta({ description: 'Requests under way at the same time.' }),
    timeout: duration().default('30s').meta({ description: 'How long one request may take.' }),
  })
  .prefault({})
  .meta({ description: 'How much of the Twilio API is used at most.' });

export const twilio = z
  .strictObject({
    organizationSid: sid('OR').meta({
      description: 'The organization whose people are kept in step.',
      examples: ['OR00000000000000000000000000000001'],
    }),
    oauth,
    endpoints,
    limits,
  })
  .meta({ description: 'The Twilio organization.' });
