/** The access tokens that are good now. */

import { createHmac } from 'node:crypto';
import { type Failure, refuse } from './errors.ts';
import type { World } from './reply.ts';
import { sidOf } from './sids.ts';
import type { StoredClient } from './state.ts';

interface IssuedToken {
  readonly clientId: string;
  /** Of the approval that it rests on; undefined for client credentials. */
  readonly approval: Approval | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** What a person granted to an app: ends when it is revoked, and when the person is no longer active. */
export interface Approval {
  readonly clientId: string;
  /** `US…`. */
  readonly approver: string;
  revoked: boolean;
}

export function approvalHolds(world: World, { revoked, approver }: Approval): boolean {
  return !revoked && world.state.users.get(approver)?.status === 'active';
}

/** A new token leaves earlier ones usable, as Twilio's FAQ says. */
export class Tokens {
  readonly #live = new Map<string, IssuedToken>();
  #issued = 0;

  /** Tokens handed out since the start. */
  get issued(): number {
    return this.#issued;
  }

  issue(world: World, client: StoredClient, approval?: Approval): string {
    const seconds = Math.floor(world.now() / 1000);
    const { tokenLifetime } = world.limits;
    const claims = {
      sub: `urn:twilio:oauth-app:${client.clientId}`,
      act: { sub: `urn:twilio:organization:${world.state.organizationSid}` },
      aud: 'https://iam.twilio.com',
      iat: seconds,
      exp: seconds + tokenLifetime,
      jti: String(++this.#issued),
      'urn:tw:rgn': 'us1',
    };
    const token = world.quirks.tokenForm === 'jwt' ? writeJwt(claims) : `token-${sidOf('RQ', this.#issued).slice(2)}`;
    this.#live.set(token, { clientId: client.clientId, approval, expiresAt: world.now() + tokenLifetime * 1000 });
    return token;
  }

  /** The app behind a bearer token; 20003 when there is none, or the token is unknown, expired or revoked. */
  authenticate(world: World, authorization: string | undefined): StoredClient | Failure {
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return refuse(20003, 'a bearer token is required');
    const issued = this.#live.get(token);
    if (issued === undefined) return refuse(20003, 'the access token is not valid');
    if (issued.expiresAt <= world.now()) {
      this.#live.delete(token);
      return refuse(20003, 'the access token has expired');
    }
    if (issued.approval !== undefined && !approvalHolds(world, issued.approval)) {
      return refuse(20003, 'the approval of the app has ended');
    }
    return world.state.clients.get(issued.clientId) ?? refuse(20003, 'the app does not exist');
  }

  /** As after deleting an app or rotating its secret without a grace period. */
  revokeAll(): void {
    this.#live.clear();
  }
}

function writeJwt(claims: object): string {
  const content = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${content}.${createHmac('sha256', 'simulator').update(content).digest('base64url')}`;
}
