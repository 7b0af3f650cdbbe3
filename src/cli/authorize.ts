/**
 * `tdsync authorize`: a person approves the app in a browser, and what comes back is kept for the runs to come.
 *
 * | redirect URL                | how the answer gets here                                  |
 * |-----------------------------|-----------------------------------------------------------|
 * | on this machine             | a listener there, for one request                         |
 * | any other, or `--paste`     | the person pastes the address that the browser ended up at |
 *
 * Nothing is kept unless everything went well. No secret stands on the command line: what is pasted comes by stdin.
 */
import { randomBytes } from 'node:crypto';
import { composeAuthorizing } from '../compose.ts';
import { parseDuration } from '../config/durations.ts';
import { isLoopback } from '../config/loopback.ts';
import { TargetAuthError } from '../errors.ts';
import { listenForRedirect } from '../ops/redirect-listener.ts';
import { onShutdown } from '../ops/shutdown.ts';
import { documentJson } from '../report/json.ts';
import { printable } from '../report/palette.ts';
import { createChallenge } from '../twilio/authorization-code.ts';
import type { GlobalOptions } from './command-line.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { readPastedLine } from './pasted-line.ts';
import { openSession } from './session.ts';
import { complain, print } from './terminal.ts';
import { UsageError } from './usage-error.ts';

interface AuthorizeOptions extends GlobalOptions {
  readonly paste?: boolean;
  readonly timeout: string;
}

export async function authorize(options: AuthorizeOptions): Promise<ExitCode> {
  const { configuration, rim } = openSession(options);
  const patience = parseTimeout(options.timeout);
  using shutdown = onShutdown();
  const { oauth, authorizing, store } = await composeAuthorizing(configuration, rim, shutdown.signal);
  await using _authorizing = authorizing;
  // Found out before somebody is asked to approve in vain.
  oauth.clientSecret.read();
  await store.exclusively(() => Promise.resolve(), shutdown.signal);

  const challenge = createChallenge(randomBytes);
  const url = authorizing.url(challenge).href;
  const address = await receive(url, oauth.redirectUri, { ...options, patience }, shutdown.signal);
  const { authorization, namesOrganization } = await authorizing.redeem(address, challenge);
  await store.exclusively((keep) => Promise.resolve(keep(authorization)), shutdown.signal);

  const { organization, clientId, authorizedAt } = authorization;
  const { approvedBy, tokenFile } = oauth;
  if (options.json) {
    const kept = { tokenFile, approvedBy, authorizedAt: new Date(authorizedAt).toISOString() };
    print(documentJson({ organization, organizationChecked: namesOrganization, clientId, ...kept, next: 'doctor' }));
    return exitCodes.ok;
  }
  const proof = namesOrganization ? 'the token says so too' : 'the token does not say which; `tdsync doctor` looks';
  print(`Approved. The refresh token is kept in ${printable(tokenFile)}, for this user alone.
Organization: ${organization} (${proof})
Never changed by tdsync: ${printable(approvedBy)}, on whose approval the access rests
Next: tdsync doctor
`);
  return exitCodes.ok;
}

function parseTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms === 0)
    throw new UsageError(`--timeout: "${text}" is not a duration; write for example 10m`);
  return ms;
}

/** The address that the browser was sent back to. Throws TargetAuthError when the time is over, and the signal's reason. */
async function receive(
  url: string,
  redirectUri: string,
  { paste, timeout, patience }: AuthorizeOptions & { readonly patience: number },
  signal: AbortSignal,
): Promise<string> {
  const { protocol, hostname } = new URL(redirectUri);
  const overdue = AbortSignal.timeout(patience);
  const ended = AbortSignal.any([signal, overdue]);
  try {
    if (paste || protocol !== 'http:' || !isLoopback(hostname)) {
      complain(
        instructions(
          url,
          `and paste the address that the browser ends up at (${redirectUri}?…) here, within five minutes:`,
        ),
      );
      return await readPastedLine(process.stdin, ended);
    }
    await using listener = await listenForRedirect(redirectUri);
    complain(instructions(url, `on this machine; waiting at ${redirectUri} for ${timeout}.`));
    return await unlessEnded(listener.received, ended);
  } catch (error) {
    if (error !== overdue.reason) throw error;
    throw new TargetAuthError(`authorize: nothing came back within ${timeout}`, {
      hint: 'Run `tdsync authorize` again and approve in time; a code lives five minutes from the approval. Where the browser cannot reach this machine, use --paste.',
    });
  }
}

function instructions(url: string, then: string): string {
  return `Open this address in a browser, sign in as the person who approves, approve,\n${then}\n\n  ${url}\n\n`;
}

async function unlessEnded<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return Promise.race([promise, ended]);
}
