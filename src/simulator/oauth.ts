/** Tokens: the client-credentials grant (RFC 6749 section 4.4; www.twilio.com/docs/iam/oauth-apps/oauth-access-token). */

import { createHmac } from 'node:crypto';
import { type Failure, refuse } from './errors.ts';
import { type Answer, type Call, json, type World } from './reply.ts';
import { sidOf } from './sids.ts';
import type { StoredClient } from './state.ts';
import { isFailure } from './user-validation.ts';

interface IssuedToken {
  readonly clientId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The access tokens that are good now. A new token leaves earlier ones usable, as Twilio's FAQ says. */
export class Tokens {
  readonly #live = new Map<string, IssuedToken>();
  #issued = 0;

  /** Tokens handed out since the start. */
  get issued(): number {
    return this.#issued;
  }

  issue(world: World, client: StoredClient): string {
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
    this.#live.set(token, { clientId: client.clientId, expiresAt: world.now() + tokenLifetime * 1000 });
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
    return world.state.clients.get(issued.clientId) ?? refuse(20003, 'the app does not exist');
  }

  /** As after deleting an app or rotating its secret without a grace period. */
  revokeAll(): void {
    this.#live.clear();
  }
}

export function postToken(world: World, call: Call, tokens: Tokens): Answer {
  const client = authenticateClient(world, call);
  if (isFailure(client)) return client;
  const { quirks, limits } = world;
  const token = tokens.issue(world, client);
  const status = call.path.startsWith('/v1/') ? 201 : quirks.tokenStatus;
  return json(status, {
    access_token: token,
    token_type: quirks.tokenType,
    ...(quirks.expiresIn === 'absent' ? undefined : { expires_in: expiresIn(quirks.expiresIn, limits.tokenLifetime) }),
    refresh_token: null,
    id_token: null,
  });
}

function expiresIn(form: 'seconds' | 'null' | 'zero' | 'absurd', lifetime: number): number | null {
  switch (form) {
    case 'seconds':
      return lifetime;
    case 'null':
      return null;
    case 'zero':
      return 0;
    case 'absurd':
      return 1438315200000;
  }
}

/** The secret belongs in the form body: the server metadata lists client_secret_post, not client_secret_basic. */
function authenticateClient(world: World, call: Call): StoredClient | Failure {
  if (call.body.form !== 'urlencoded') {
    return refuse(20001, 'the body must be application/x-www-form-urlencoded');
  }
  const { grant_type: grantType, client_id: id = '', client_secret: secret = '' } = call.body.value;
  if (grantType === undefined || grantType === '') return refuse(20001, 'grant_type is required');
  if (grantType !== 'client_credentials') return refuse(20001, `grant_type ${grantType} is not supported`);
  const client = world.state.clients.get(id);
  const good = client !== undefined && secret !== '' && [client.clientSecret, client.previousSecret].includes(secret);
  return good ? client : refuse(20003, 'invalid client_id or client_secret', world.quirks.badClientStatus);
}

function writeJwt(claims: object): string {
  const content = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${content}.${createHmac('sha256', 'simulator').update(content).digest('base64url')}`;
}
