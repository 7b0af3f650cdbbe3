/**
 * The unfiltered list of users, streamed, with the proof that it is whole. Twilio documents neither paging nor a size
 * limit for it, so a list is believed only when all of this holds; otherwise absence from it means nothing:
 *
 *   the JSON ends properly · `totalResults` is there and equals the number of users (RFC 7644 section 3.4.2 requires it)
 *   · no link to a further page · no `startIndex` or `itemsPerPage`, which Twilio says it does not send, unless the page
 *   starts at 1 and has room left · no user comes twice
 *
 * When the connection breaks half-way the whole list is asked for again. Users that were handed over stay handed over and
 * are not handed over twice; they may by then be older than the rest, which a later write notices by their version. A user
 * who was handed over and is not in the list that came to its end makes the read incomplete: it changed under our eyes.
 */
import type { UserSid } from '../domain/identity.ts';
import type { TwilioUser } from '../domain/user.ts';
import type { KnownList } from '../ports.ts';
import { contractError, understand } from './answers.ts';
import type { ApiClient } from './api-client.ts';
import { AttemptFailure } from './attempts.ts';
import { type Service, urlOf } from './endpoints.ts';
import type { Asked } from './failures.ts';
import type { BodySink } from './http-client.ts';
import { createUserListScanner } from './user-list-scanner.ts';
import { BrokenAnswer, isObject, parseObject, readUser, textOf, UnexpectedAnswer, type WireObject } from './wire.ts';

/** A list without end has to end somewhere: ten times the largest organization that this program is made for. */
const mostUsers = 1_000_000;

type OnUser = (user: TwilioUser, resource: string | undefined) => void;

/** Resolves with the number of users. Throws TargetContractError when the list does not prove complete; what `onUser` throws. */
export async function streamUsers(
  users: Service<ApiClient>,
  onUser: OnUser,
  signal: AbortSignal,
  known?: KnownList,
): Promise<number> {
  const { api, endpoints } = users;
  const asked: Asked = { endpoint: endpoints.listUsers, url: urlOf(users, endpoints.listUsers) };
  /** The attempt in which each user was last seen. */
  const seen = new Map<string, number>();
  let attempt = 0;
  let count = 0;
  let envelope: WireObject = {};

  function openSink(): BodySink {
    attempt++;
    count = 0;
    let last: UserSid | '' = '';
    const take = (user: TwilioUser, text: string | undefined): void => {
      const before = seen.get(user.sid);
      if (count === mostUsers) throw new UnexpectedAnswer(`more than ${mostUsers} users`);
      if (before === attempt) throw new UnexpectedAnswer(`user ${user.sid} is in the list twice`);
      seen.set(user.sid, attempt);
      last = user.sid;
      count++;
      if (before === undefined) onUser(user, text);
    };
    const scanner = createUserListScanner((text) => take(readUser(parseObject(text)), text), {
      next: () => known?.after(last),
      onKnown(users) {
        for (const user of users) take(user, undefined);
      },
    });
    return {
      write: (chunk) => incomplete(asked, count, () => scanner.write(chunk)),
      end() {
        incomplete(asked, count, () => scanner.end());
        envelope = scanner.envelope();
      },
    };
  }

  const answer = await api.expect({ ...asked, openSink, urgency: 'read', signal });
  const vanished = seen.size - count;
  const problem =
    gapIn(envelope, count) ??
    (vanished > 0 ? `${vanished} users left the list while it was read a second time` : undefined);
  if (problem !== undefined) throw contractError(asked, answer, incompleteBecause(problem, count), hint);
  return count;
}

const hint =
  'Nothing was concluded from it. Run again; if it stays, ask Twilio support how to list every user, naming the request id.';

function incompleteBecause(problem: string, count: number): string {
  return `the list of users is incomplete: ${problem} (${count} seen), so absence cannot be inferred`;
}

function incomplete(asked: Asked, count: number, work: () => void): void {
  understand(asked, undefined, () => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof UnexpectedAnswer)) throw error;
      const problem = incompleteBecause(error.message, count);
      if (!(error instanceof BrokenAnswer)) throw new UnexpectedAnswer(problem);
      throw new AttemptFailure('retry', contractError(asked, undefined, problem, hint), undefined);
    }
  });
}

/** What speaks against the list being whole. */
function gapIn(envelope: WireObject, count: number): string | undefined {
  const { totalResults, startIndex, itemsPerPage } = envelope;
  if (hasNextLink(envelope)) return 'it links to a further page';
  if (typeof totalResults !== 'number') return 'totalResults is missing';
  if (totalResults !== count) return `totalResults is ${totalResults}`;
  if (startIndex === undefined && itemsPerPage === undefined) return undefined;
  const roomLeft = typeof itemsPerPage === 'number' && itemsPerPage > count;
  if (roomLeft && (startIndex === undefined || startIndex === 1)) return undefined;
  return `it looks like one page of several (startIndex ${String(startIndex)}, itemsPerPage ${String(itemsPerPage)})`;
}

function hasNextLink(envelope: WireObject): boolean {
  const places = [envelope, envelope.meta, envelope.links].filter(isObject);
  return places.some((place) =>
    ['next', 'nextCursor', 'nextPageUrl', 'next_page_url', 'next_page_uri'].some(
      (name) => textOf(place[name]) !== undefined || isObject(place[name]),
    ),
  );
}
