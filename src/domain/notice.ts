import type { ExternalId } from './identity.ts';

/** What people are told of, unasked: a run that went wrong, and the first good one after it. */
export const noticeEvents = ['refused', 'failed', 'partial', 'recovered'] as const;
export type NoticeEvent = (typeof noticeEvents)[number];

/** `json`: a document for programs; `slack`: a text that Slack and what is compatible with it shows. */
export const noticeFormats = ['json', 'slack'] as const;
export type NoticeFormat = (typeof noticeFormats)[number];

/** Something that went wrong and goes on until a run says otherwise. */
export type Trouble =
  /** The digest of the refused plan. */
  | { readonly state: 'refused'; readonly digest: string }
  /** The code of the error. */
  | { readonly state: 'failed'; readonly code: string }
  /** Whose operations did not succeed; `breaker`: too many, which ended the run. */
  | { readonly state: 'partial'; readonly people: readonly ExternalId[]; readonly breaker?: true };

/** The trouble that a hook was told of last, and not yet of its end. */
export interface Told {
  readonly trouble: Trouble;
  /** The run that it was told after. */
  readonly run: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A message on its way to a hook. */
export interface Delivery {
  readonly event: NoticeEvent | 'test';
  /** The same in each attempt, so that a receiver can tell a repetition. */
  readonly id: string;
  /** JSON. */
  readonly body: string;
}

/** A place outside where people want to be told of runs that went wrong. */
export interface Hook {
  /** Stays the same while the configuration names the same place in the same format: what it was told is kept under it. */
  readonly key: string;
  /** For logs; never the URL, which may itself be a secret. */
  readonly name: string;
  readonly on: readonly NoticeEvent[];
  readonly format: NoticeFormat;
  /**
   * Resolves when the other side took it, after a few attempts within a bounded time.
   * Throws NotDeliveredError, ConfigError when a secret cannot be read, or the signal's reason.
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<void>;
}

/** What each hook was told of last, across restarts. */
export interface NoticeStore {
  told(hook: string): Told | undefined;
  /** Undefined: there is nothing that it would have to be told the end of. */
  keepTold(hook: string, told: Told | undefined): void;
}
