/** Approvals of apps by people, and the codes and refresh tokens that stand for them (RFC 6749 section 4.1, RFC 7636). */

import { hash } from 'node:crypto';
import type { World } from './reply.ts';
import { sidOf } from './sids.ts';
import type { StoredClient } from './state.ts';
import { type Approval, approvalHolds } from './tokens.ts';

/** The page "Organization OAuth apps": a code lives five minutes. */
const codeLifetimeMs = 300_000;

interface IssuedCode {
  readonly approval: Approval;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface Redemption {
  readonly code: string;
  readonly redirectUri: string | undefined;
  readonly verifier: string | undefined;
}

export class Authorizations {
  readonly #codes = new Map<string, IssuedCode>();
  readonly #refreshTokens = new Map<string, Approval>();
  #count = 0;

  /** A code for an approval that somebody has just given; `challenge` is the PKCE challenge of method S256. */
  issueCode(world: World, client: StoredClient, approver: string, redirectUri: string, challenge?: string): string {
    const approval: Approval = { clientId: client.clientId, approver, revoked: false };
    const code = `code-${this.#next()}`;
    this.#codes.set(code, { approval, redirectUri, challenge, expiresAt: world.now() + codeLifetimeMs });
    return code;
  }

  /** The approval behind a code; undefined unless everything fits. A code serves once, also when something does not fit. */
  redeem(world: World, client: StoredClient, { code, redirectUri, verifier }: Redemption): Approval | undefined {
    const issued = this.#codes.get(code);
    this.#codes.delete(code);
    if (issued === undefined || issued.expiresAt <= world.now()) return undefined;
    if (issued.approval.clientId !== client.clientId || issued.redirectUri !== redirectUri) return undefined;
    if (challengeOf(verifier) !== issued.challenge) return undefined;
    return approvalHolds(world, issued.approval) ? issued.approval : undefined;
  }

  issueRefreshToken(approval: Approval): string {
    const token = `refresh-${this.#next()}`;
    this.#refreshTokens.set(token, approval);
    return token;
  }

  /** What a refresh token stands for; undefined when it is unknown, another app's, or its approval has ended. */
  approvalOf(world: World, client: StoredClient, token: string): Approval | undefined {
    const approval = this.#refreshTokens.get(token);
    return approval?.clientId === client.clientId && approvalHolds(world, approval) ? approval : undefined;
  }

  endRefreshToken(token: string): void {
    this.#refreshTokens.delete(token);
  }

  /** As somebody does under "authorized apps": refresh tokens, and access tokens that rest on them, end at once. */
  revokeAll(): void {
    for (const approval of this.#refreshTokens.values()) approval.revoked = true;
    this.#refreshTokens.clear();
    this.#codes.clear();
  }

  /** Recognisable, so that tests can look for it where it must not be. */
  #next(): string {
    return hash('sha256', `authorization ${sidOf('RQ', ++this.#count)}`).slice(0, 40);
  }
}

function challengeOf(verifier: string | undefined): string | undefined {
  return verifier === undefined ? undefined : hash('sha256', verifier, 'base64url');
}
