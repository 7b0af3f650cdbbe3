/**
 * The token endpoint (www.twilio.com/docs/iam/oauth-apps/oauth-access-token): client credentials, codes and refresh tokens
 * (RFC 6749 sections 4.4, 4.1.3 and 6).
 */

import type { Authorizations } from './authorizations.ts';
import { type Failure, refuse } from './errors.ts';
import { type Answer, type Call, json, type World } from './reply.ts';
import type { StoredClient } from './state.ts';
import type { Approval, Tokens } from './tokens.ts';
import { isFailure } from './user-validation.ts';

/** What the OAuth service stands on besides the world. */
export interface OAuthWorld extends World {
  readonly tokens: Tokens;
  readonly authorizations: Authorizations;
}

export function postToken(world: OAuthWorld, call: Call): Answer {
  if (call.body.form !== 'urlencoded') {
    return refuse(20001, 'the body must be application/x-www-form-urlencoded');
  }
  const form = call.body.value;
  const { grant_type: grantType } = form;
  if (grantType === undefined || grantType === '') return refuse(20001, 'grant_type is required');
  const grant = grants[grantType];
  if (grant === undefined) return refuse(20001, `grant_type ${grantType} is not supported`);
  const client = authenticateClient(world, form);
  if (isFailure(client)) return client;
  const granted = grant(world, client, form);
  if (isFailure(granted)) return granted;
  const { quirks, limits } = world;
  const token = world.tokens.issue(world, client, granted.approval);
  const status = call.path.startsWith('/v1/') ? 201 : quirks.tokenStatus;
  return json(status, {
    access_token: token,
    token_type: quirks.tokenType,
    ...(quirks.expiresIn === 'absent' ? undefined : { expires_in: expiresIn(quirks.expiresIn, limits.tokenLifetime) }),
    refresh_token: granted.refreshToken,
    id_token: null,
  });
}

type Form = Readonly<Record<string, string>>;

interface Granted {
  readonly approval: Approval | undefined;
  readonly refreshToken: string | null;
}

const grants: Readonly<Record<string, (world: OAuthWorld, client: StoredClient, form: Form) => Granted | Failure>> = {
  client_credentials: () => ({ approval: undefined, refreshToken: null }),
  authorization_code(world, client, form) {
    const approval = world.authorizations.redeem(world, client, {
      code: form.code ?? '',
      redirectUri: form.redirect_uri,
      verifier: form.code_verifier,
    });
    return approval === undefined
      ? invalidGrant(world, 'the code is not valid')
      : { approval, refreshToken: world.authorizations.issueRefreshToken(approval) };
  },
  refresh_token(world, client, form) {
    const old = form.refresh_token ?? '';
    const approval = world.authorizations.approvalOf(world, client, old);
    if (approval === undefined) return invalidGrant(world, 'the refresh token is not valid');
    switch (world.quirks.refreshToken) {
      case 'rotated':
        world.authorizations.endRefreshToken(old);
        return { approval, refreshToken: world.authorizations.issueRefreshToken(approval) };
      case 'repeated':
        return { approval, refreshToken: old };
      case 'absent':
        return { approval, refreshToken: null };
    }
  },
};

function invalidGrant(world: World, why: string): Failure {
  return { ...refuse(20001, why, world.quirks.badClientStatus), oauth: 'invalid_grant' };
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
function authenticateClient(world: World, { client_id: id = '', client_secret: secret = '' }: Form) {
  const client = world.state.clients.get(id);
  const good = client !== undefined && secret !== '' && [client.clientSecret, client.previousSecret].includes(secret);
  return good ? client : refuse(20003, 'invalid client_id or client_secret', world.quirks.badClientStatus);
}
