/** The bearer token: minted when needed, by one caller for all, kept until shortly before it ends. */
import type { Clock } from '../ports.ts';
import type { Minted } from './token-request.ts';

export interface TokenSource {
  /** A token that holds for a while yet. Throws TargetError; ConfigError when a secret cannot be read or a refresh token not be kept; the signal's reason. */
  bearer(signal?: AbortSignal): Promise<string>;
  /** False when the token was dropped or is to be renewed. */
  holds(token: string): boolean;
  /** Twilio refused it. A newer one, minted meanwhile for another call, stays. */
  drop(token: string): void;
  /** Secrets that belong to the last token, and that no message may repeat either. */
  besides(): readonly string[];
  /** Resolves when no mint is under way: what came with a token, such as the next refresh token, is kept by then. */
  idle(): Promise<void>;
}

/** `mint` asks Twilio, by whatever grant. */
export function createTokenSource(clock: Clock, mint: () => Promise<Minted>): TokenSource {
  let current: Minted | undefined;
  let besides: readonly string[] = [];
  let minting: Promise<Minted> | undefined;

  function fresh(): Promise<Minted> {
    minting ??= mint()
      .then((minted) => {
        current = minted;
        besides = minted.besides ?? [];
        return minted;
      })
      .finally(() => {
        minting = undefined;
      });
    return minting;
  }

  return {
    async bearer(signal) {
      if (current !== undefined && clock.now() < current.renewAt) return current.token;
      return (await unlessAborted(fresh(), signal)).token;
    },
    holds: (token) => current?.token === token && clock.now() < current.renewAt,
    drop(token) {
      if (current?.token === token) current = undefined;
    },
    besides: () => besides,
    async idle() {
      await minting?.catch(() => {});
    },
  };
}

/** The mint goes on for the others when one caller no longer wants it. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
