import type { ScopeSid } from './identity.ts';

/** A person's approval of this program, as `tdsync authorize` received it. Times are milliseconds since the epoch. */
export interface Authorization {
  readonly organization: ScopeSid;
  /** `OQ…`: a refresh token is good for the app alone that it was given to. */
  readonly clientId: string;
  readonly refreshToken: string;
  /** When the person approved. */
  readonly authorizedAt: number;
  /** When Twilio gave this refresh token, which may be a later one than the first. */
  readonly issuedAt: number;
  /** When it last brought an access token. */
  readonly refreshedAt: number;
  /** Since when Twilio refuses it; undefined while it does not. */
  readonly refusedAt?: number | undefined;
}

/** Keeps the approval, for every process that uses it. */
export interface AuthorizationStore {
  /** For messages. */
  readonly place: string;
  /** Undefined when nobody has approved yet. Throws ConfigError when it cannot be read, or others could have read it. */
  read(): Authorization | undefined;
  /**
   * Runs `work` while no other process does the same, with room made for what it keeps: a refresh token that cannot be
   * kept must not be asked for. Throws ConfigError when that cannot be, LeaseHeldError when another process does not end,
   * the signal's reason, and what `work` throws.
   */
  exclusively<Result>(
    work: (keep: (authorization: Authorization) => void) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result>;
}
