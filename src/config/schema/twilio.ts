import * as z from 'zod';
import { oauth } from './oauth.ts';
import { duration, endpoint, flag, isReadableOnTheWay, sid, wholeNumber } from './values.ts';

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
    insecureHttp: flag().default(false).meta({
      description:
        'Let these addresses begin with http:// for other machines too, as for a simulator on another one. Everybody on the way can read the client secret and the tokens.',
    }),
  })
  .prefault({})
  .superRefine(({ insecureHttp, ...addresses }, context) => {
    for (const [name, address] of Object.entries(addresses)) {
      if (insecureHttp || !isReadableOnTheWay(String(address))) continue;
      const message =
        'must be https://host (http:// only for this machine: 127.0.0.1, localhost; insecureHttp: true lets others through)';
      context.addIssue({ code: 'custom', path: [name], message });
    }
  })
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
    maxThrottling: duration().default('5m').meta({
      description:
        'How long one call waits in all when Twilio answers that there are too many (429). Then the run ends `partial`, and the next one goes on.',
    }),
    maxRunTime: duration()
      .optional()
      .meta({
        description:
          'After how long a run begins no further operation: it ends `partial`, and the next one goes on. What is under way is finished. When not set, a run takes as long as it takes.',
        examples: ['30m'],
      }),
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
