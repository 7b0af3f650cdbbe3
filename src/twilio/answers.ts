/** From an answer's text to our objects, with the request named when it cannot be understood. */
import { TargetContractError } from '../errors.ts';
import type { UserResource } from '../ports.ts';
import { type Asked, detailsOf, nameOf } from './failures.ts';
import type { HttpAnswer } from './http-client.ts';
import { parseObject, readUser, UnexpectedAnswer } from './wire.ts';

/** What `read` makes of the answer; throws TargetContractError when it cannot. */
export function understand<T>(asked: Asked, answer: HttpAnswer | undefined, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnexpectedAnswer ? contractError(asked, answer, error.message) : error;
  }
}

export function contractError(asked: Asked, answer: HttpAnswer | undefined, problem: string, hint?: string) {
  return new TargetContractError(`${nameOf(asked)}: unexpected answer from Twilio: ${problem}`, {
    ...detailsOf(asked, answer),
    hint,
  });
}

export function userOf(asked: Asked, answer: HttpAnswer): UserResource {
  return understand(asked, answer, () => ({ user: readUser(parseObject(answer.text)), resource: answer.text }));
}

/** Undefined when a write succeeded but its answer does not hold the user: it has to be read, then. */
export function userIfThere(answer: HttpAnswer): UserResource | undefined {
  try {
    return { user: readUser(parseObject(answer.text)), resource: answer.text };
  } catch (error) {
    if (error instanceof UnexpectedAnswer) return undefined;
    throw error;
  }
}
