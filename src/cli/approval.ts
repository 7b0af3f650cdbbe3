/** What `status` and `doctor` say of the approval that the access rests on, without asking Twilio. */
import type { OAuthSettings } from '../config/configuration.ts';
import { ConfigError } from '../errors.ts';
import { readAuthorization } from '../store/authorization-file.ts';

export interface Approved {
  /** One line for people. */
  readonly text: string;
  /** What has to be done before the next run can go well; undefined when nothing has. */
  readonly hint: string | undefined;
  /** For programs: times, or what is wrong. */
  readonly fields: object;
}

/** Undefined when the access rests on nobody's approval. */
export function readApproval(oauth: OAuthSettings): Approved | undefined {
  if (oauth.grantType !== 'authorization_code') return undefined;
  try {
    return describe(oauth.tokenFile);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { text: error.message, hint: error.hint, fields: { problem: error.message } };
  }
}

function describe(file: string): Approved {
  const authorization = readAuthorization(file);
  if (authorization === undefined) {
    const text = `nobody has approved yet (${file} does not exist): run tdsync authorize`;
    return { text, hint: 'run `tdsync authorize`', fields: { problem: 'not approved yet' } };
  }
  const { authorizedAt, issuedAt, refreshedAt, refusedAt } = authorization;
  const times = `approved ${iso(authorizedAt)}, refresh token of ${iso(issuedAt)}, last used ${iso(refreshedAt)}`;
  return {
    text: refusedAt === undefined ? times : `${times}; REFUSED by Twilio since ${iso(refusedAt)}: run tdsync authorize`,
    hint: refusedAt === undefined ? undefined : 'run `tdsync authorize`: a person has to approve the app again',
    fields: { authorizedAt, issuedAt, refreshedAt, refusedAt },
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
