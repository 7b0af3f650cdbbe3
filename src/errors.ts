import type { UserResource } from './ports.ts';

/**
 * Errors end a run and are thrown. Bad data about one person is a finding; one operation that failed is an outcome;
 * neither is ever thrown. A message says operation, object and reason; `hint` says what to try next.
 */

export interface ErrorDetails {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

export abstract class TdsyncError extends Error {
  /** Stable, for logs, JSON and exit codes. */
  abstract readonly code: string;
  readonly hint: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.hint = details.hint;
  }
}

/** One thing wrong in the configuration. `path` is dotted, e.g. `roles[0].grants[1].role`. */
export interface ConfigIssue {
  readonly path: string;
  readonly message: string;
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
}

/** The configuration cannot be used: carries everything that is wrong with it. */
export class ConfigError extends TdsyncError {
  readonly code = 'config';
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[], details: ErrorDetails = {}) {
    super(issues.map(formatIssue).join('\n'), details);
    this.issues = issues;
  }
}

function formatIssue(issue: ConfigIssue): string {
  const place = issue.file === undefined ? '' : `${issue.file}${issue.line === undefined ? '' : `:${issue.line}`}: `;
  return `${place}${issue.path === '' ? '' : `${issue.path}: `}${issue.message}`;
}

export interface SourceDetails extends ErrorDetails {
  readonly elsewhere?: boolean;
}

export abstract class SourceError extends TdsyncError {
  /** The fault is that of one server: another server of the same directory may do better. */
  readonly elsewhere: boolean;

  constructor(message: string, details: SourceDetails = {}) {
    super(message, details);
    this.elsewhere = details.elsewhere ?? false;
  }
}

/** The source cannot be reached or refuses us. */
export class SourceUnavailableError extends SourceError {
  readonly code = 'source-unavailable';
}

/** The source was read, but not provably to its end, so absence proves nothing. */
export class SourceIncompleteError extends SourceError {
  readonly code = 'source-incomplete';
}

export interface TargetDetails extends ErrorDetails {
  readonly method?: string;
  /** Path without query, SIDs kept. */
  readonly path?: string;
  readonly status?: number | undefined;
  readonly twilioCode?: number | undefined;
  readonly scimType?: string | undefined;
  readonly requestId?: string | undefined;
}

export abstract class TargetError extends TdsyncError {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly status: number | undefined;
  readonly twilioCode: number | undefined;
  readonly scimType: string | undefined;
  readonly requestId: string | undefined;

  constructor(message: string, details: TargetDetails = {}) {
    super(message, details);
    this.method = details.method;
    this.path = details.path;
    this.status = details.status;
    this.twilioCode = details.twilioCode;
    this.scimType = details.scimType;
    this.requestId = details.requestId;
  }
}

/** No answer, or 5xx, after all permitted attempts. */
export class TargetUnavailableError extends TargetError {
  readonly code = 'twilio-unavailable';
}

/** 429 for longer than the budget. */
export class RateLimitedError extends TargetError {
  readonly code = 'twilio-rate-limited';
}

/** Credentials refused, or a permission is missing: nothing else will work either. */
export class TargetAuthError extends TargetError {
  readonly code = 'twilio-unauthorized';
}

export interface ConflictDetails extends TargetDetails {
  readonly holder?: UserResource | undefined;
}

/** Somebody else changed the object, or the name is taken. */
export class TargetConflictError extends TargetError {
  readonly code = 'twilio-conflict';
  /** The user of this organization who holds the address or externalId; undefined when nobody visible does. */
  readonly holder: UserResource | undefined;

  constructor(message: string, details: ConflictDetails = {}) {
    super(message, details);
    this.holder = details.holder;
  }
}

/** Twilio refuses this one record. */
export class TargetRejectedError extends TargetError {
  readonly code = 'twilio-rejected';
}

/** An answer that the documented contract does not allow, an incomplete list included. */
export class TargetContractError extends TargetError {
  readonly code = 'twilio-contract';
}

/** What failed is hardly about single people: the run stops before it harms more of them. */
export class BreakerOpenError extends TdsyncError {
  readonly code = 'breaker-open';
}

export abstract class PlanError extends TdsyncError {}

/** The reviewed plan is not the plan that would be made now. */
export class StalePlanError extends PlanError {
  readonly code = 'stale-plan';
}

export abstract class StoreError extends TdsyncError {}

/** Another process runs on this snapshot. */
export class LeaseHeldError extends StoreError {
  readonly code = 'lease-held';
}

/** The snapshot was written by a newer version. */
export class SchemaTooNewError extends StoreError {
  readonly code = 'schema-too-new';
}

/** The snapshot is damaged, or not a snapshot. */
export class SnapshotCorruptError extends StoreError {
  readonly code = 'snapshot-corrupt';
}

/** The snapshot cannot be opened or written: permissions, read-only or full disk, locked. */
export class SnapshotUnusableError extends StoreError {
  readonly code = 'snapshot-unusable';
}

/** The run was asked to stop; what was in flight is finished and recorded. */
export class InterruptedError extends TdsyncError {
  readonly code = 'interrupted';
}

/** A hook did not take what it was to be told. Never ends a run. */
export class NotDeliveredError extends TdsyncError {
  readonly code = 'not-delivered';
}

/** A bug in this program. */
export class InternalError extends TdsyncError {
  readonly code = 'internal';
}
