import { expect, test } from 'vitest';
import { readClaims, renewalTime } from '../../src/twilio/access-token.ts';
import { parseErrorBody } from '../../src/twilio/error-body.ts';
import { nextPage, rowsOf } from '../../src/twilio/paging.ts';
import { retryAfterMs } from '../../src/twilio/retry-after.ts';
import { createUserListScanner } from '../../src/twilio/user-list-scanner.ts';
import {
  parseObject,
  readAccount,
  readAssignment,
  readRole,
  readUser,
  UnexpectedAnswer,
} from '../../src/twilio/wire.ts';
import { fuzz } from '../support/fuzz.ts';

const words = [
  ...[
    '"Resources":',
    '[',
    ']',
    '{',
    '}',
    '"',
    '\\',
    ',',
    ':',
    'null',
    'true',
    '1e999',
    '-0',
    '\\ud800',
    '\\u0000',
    '"id":',
    '"US00000000000000000000000000000001"',
  ],
  ...[
    '"__proto__":',
    '"constructor":',
    '"meta":',
    '"next_page_url":"https://user:x@elsewhere.example/"',
    '<title>',
    '"totalResults":',
    '"code":',
    'Bearer x',
    '[[[[[[[[',
    '{"a":{"a":',
  ],
];
const rows = [readUser, readAssignment, readRole, readAccount];

test('answers of Twilio are understood, or refused as unexpected', async () => {
  const tried = await fuzz(
    {
      name: 'twilio-answers',
      words,
      run(input) {
        const text = input.toString('utf8');
        const { throttledUntil } = parseErrorBody(text, ['secret-secret']);
        retryAfterMs(text.slice(0, 40), throttledUntil, 0, 120_000);
        renewalTime(0, Number(text.slice(0, 8)), readClaims(text));
        const problems: unknown[] = [];
        const attempt = (read: () => unknown) => {
          try {
            read();
          } catch (error) {
            if (!(error instanceof UnexpectedAnswer)) problems.push(error);
          }
        };
        attempt(() => {
          const scanner = createUserListScanner((piece) => attempt(() => readUser(parseObject(piece))));
          const half = input.length >> 1;
          scanner.write(input.subarray(0, half));
          scanner.write(input.subarray(half));
          scanner.end();
        });
        attempt(() => {
          const body = parseObject(text);
          for (const read of rows) attempt(() => read(body));
          attempt(() => {
            const next = nextPage(new URL('https://iam.example/v2/Organizations/Roles?Page=0'), body);
            if (next !== undefined && next.origin !== 'https://iam.example') problems.push(new Error(`led to ${next}`));
            if (next !== undefined && `${next.username}${next.password}` !== '')
              problems.push(new Error('with a user'));
          });
          for (const row of rowsOf(body)) for (const read of rows) attempt(() => read(row));
        });
        const [problem] = problems;
        if (problem !== undefined) throw problem;
      },
      expects: () => false,
    },
    1_000,
  );

  expect(tried).toBeGreaterThan(10);
});
