import type { BreakerLimits } from '../domain/breaker.ts';
import type { LdapOptions } from '../domain/ldap-options.ts';
import type { NoticeEvent, NoticeFormat } from '../domain/notice.ts';
import type { Rules } from '../domain/rules.ts';
import type { Secret } from '../domain/secret.ts';

/** The configuration as the program uses it: defaults filled in, durations in milliseconds, paths absolute, secrets by reference. */
export interface Configuration {
  readonly twilio: TwilioSettings;
  readonly source: SourceSettings;
  /** Exactly what the engine takes. */
  readonly rules: Rules;
  readonly breaker: BreakerLimits;
  /** Undefined: this configuration can run once, but not as a daemon. */
  readonly schedule: ScheduleSettings | undefined;
  readonly snapshot: SnapshotSettings;
  /** Undefined: the daemon listens nowhere. */
  readonly server: ServerSettings | undefined;
  readonly notify: readonly HookSettings[];
  readonly log: LogSettings;
}

export interface TwilioSettings {
  /** `OR` + 32 hex digits. */
  readonly organizationSid: string;
  readonly oauth: OAuthSettings;
  /** Origins, without a trailing slash. */
  readonly endpoints: {
    readonly iam: string;
    readonly oauth: string;
    readonly accounts: string;
    readonly generation: 'current' | 'preview';
  };
  /** `twilio.endpoints.insecureHttp`. */
  readonly insecureHttp: boolean;
  readonly limits: {
    readonly requestsPerSecond: number;
    readonly maxConcurrent: number;
    /** For one request. */
    readonly timeoutMs: number;
    /** How long one call waits in all because Twilio asks for fewer. */
    readonly maxThrottlingMs: number;
    /** After which a run begins no further operation; undefined: never. */
    readonly maxRunTimeMs: number | undefined;
  };
}

export type OAuthSettings = OAuthClient & ({ readonly grantType: 'client_credentials' } | CodeGrantSettings);

interface OAuthClient {
  readonly clientId: Secret;
  readonly clientSecret: Secret;
}

export interface CodeGrantSettings {
  readonly grantType: 'authorization_code';
  /** As registered with the app. */
  readonly redirectUri: string;
  /** Absolute path of the file with the refresh token. */
  readonly tokenFile: string;
  /** Address or `US…` of the person whose approval the access rests on. */
  readonly approvedBy: string;
}

export type SourceSettings =
  | { readonly type: 'csv'; readonly options: CsvOptions }
  | { readonly type: 'ldap'; readonly options: LdapOptions };

/** Absent keys are left to the reader's own defaults. */
export interface CsvOptions {
  /** Files with one row per person: one, or parts of one list. */
  readonly users: CsvFile | readonly CsvFile[];
  /** Files with more columns for the same people. */
  readonly join?: readonly CsvJoin[];
  /** File with two columns, person id and group. */
  readonly memberships?: CsvFile;
  /** Column with the immutable key. */
  readonly id: string;
  /** Taken out of ids that are numbers grouped by it. */
  readonly thousandsSeparator?: string;
  readonly groups?: { readonly column: string; readonly separator: string };
  readonly delimiter?: string;
  readonly encoding?: CsvEncoding;
  /** The row with which every file must end. */
  readonly trailer?: CsvTrailer;
  /** An older file is not read. */
  readonly maxAgeMs?: number;
  readonly minRows?: number;
  /** Absolute path of a file that holds the number of rows that the users files must have. */
  readonly expectRowsFrom?: string;
}

/** An absolute path, or the newest of the files in a folder whose names match. */
export type CsvFile =
  | string
  | { readonly folder: string; readonly match: string; readonly newest: 'name' | 'modified' };

export interface CsvJoin {
  readonly file: CsvFile;
  /** Column with the key of the person. */
  readonly id?: string;
  /** Everybody must have a row. */
  readonly required: boolean;
  readonly delimiter?: string;
  readonly encoding?: CsvEncoding;
  readonly trailer?: CsvTrailer | false;
}

export interface CsvTrailer {
  /** The first field of the row. */
  readonly match: string;
  /** The field with the number of rows; 1 is the first. */
  readonly field: number;
}

export const csvEncodings = [
  'utf-8',
  'utf-16',
  'utf-16le',
  'utf-16be',
  'windows-1252',
  'iso-8859-1',
  'iso-8859-15',
] as const;
export type CsvEncoding = (typeof csvEncodings)[number];

export interface ScheduleSettings {
  readonly cron: string;
  /** IANA name; undefined means the machine's own. */
  readonly timezone: string | undefined;
  readonly runOnStart: boolean;
  /** Each start is put off by a random time up to this. */
  readonly jitterMs: number;
}

export interface SnapshotSettings {
  /** Absolute path of the SQLite file. */
  readonly path: string;
  /** The mirror of users is read anew when it is older; 0 means at every run. */
  readonly refreshUsersMs: number;
  readonly refreshAssignmentsMs: number;
  /** History older than this is removed. */
  readonly keepRunsMs: number;
}

export interface ServerSettings {
  readonly host: string;
  /** 0: the system chooses. */
  readonly port: number;
  /** Not ready when the last good run is older. */
  readonly maxAgeMs: number;
}

export interface HookSettings {
  /** Of the place and the format: the same as long as the configuration names the same ones. */
  readonly key: string;
  /** A URL that may be used as it is; its `reference` is safe to print. */
  readonly url: Secret;
  readonly secret?: Secret;
  readonly on: readonly NoticeEvent[];
  readonly format: NoticeFormat;
  /** For one attempt. */
  readonly timeoutMs: number;
}

export interface LogSettings {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
}
