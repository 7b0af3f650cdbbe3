/**
 * The authorize step (www.twilio.com/docs/iam/oauth-apps/org-oauth-apps, RFC 6749 section 4.1.1). In place of a page on which
 * somebody signs in and approves, it approves at once, or denies when the quirk says so.
 */

import { refuse } from './errors.ts';
import type { OAuthWorld } from './oauth.ts';
import type { Answer, Call } from './reply.ts';

export const authorizePath = '/v2/authorize';

/** Back to the app's own address, or 400 when the app or the address cannot be trusted (RFC 6749 section 4.1.2.1). */
export function getAuthorize(world: OAuthWorld, { query }: Call): Answer {
  const client = world.state.clients.get(query.get('client_id') ?? '');
  if (client === undefined) return refuse(20001, 'client_id is not known');
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!client.redirectUris.includes(redirectUri)) return refuse(20001, 'redirect_uri is not registered with the app');
  const back = (answer: Readonly<Record<string, string>>): Answer => {
    const location = new URL(redirectUri);
    const state = query.get('state');
    for (const [name, value] of Object.entries({ ...answer, ...(state === null ? {} : { state }) })) {
      location.searchParams.set(name, value);
    }
    return { kind: 'reply', status: 302, headers: { location: location.href } };
  };
  if (query.get('response_type') !== 'code') return back({ error: 'unsupported_response_type' });
  if (query.get('scope') !== 'offline_access') return back({ error: 'invalid_scope' });
  const challenge = query.get('code_challenge') ?? undefined;
  const fault = challengeFault(challenge, query.get('code_challenge_method'), world.quirks.pkce === 'required');
  if (fault !== undefined) return back({ error: 'invalid_request', error_description: fault });
  const approver = world.state.approverOf(client);
  if (world.quirks.approval === 'denied' || approver === undefined) {
    return back({ error: 'access_denied', error_description: 'The request was denied' });
  }
  return back({ code: world.authorizations.issueCode(world, client, approver.sid, redirectUri, challenge) });
}

/** RFC 7636 section 4.2: a SHA-256 in base64url has 43 characters. */
function challengeFault(challenge: string | undefined, method: string | null, required: boolean): string | undefined {
  if (challenge === undefined) return required ? 'code_challenge is required' : undefined;
  if (method !== 'S256') return 'code_challenge_method must be S256';
  return /^[\w-]{43}$/.test(challenge) ? undefined : 'code_challenge is not a SHA-256 in base64url';
}
