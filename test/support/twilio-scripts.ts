/** A Twilio target against a scripted server, and the words both speak. */
import type { ExternalId, RoleSid, ScopeSid, UserSid } from '../../src/domain/identity.ts';
import type { Logger } from '../../src/ports.ts';
import { createTwilioTarget, type TwilioOptions, type TwilioTarget } from '../../src/twilio/twilio-target.ts';
import { byRoute, type Respond, type ScriptedHttp, type ScriptedReply, startScriptedHttp } from './scripted-http.ts';
import { createVirtualClock, type VirtualClock } from './virtual-clock.ts';

export const organization = 'OR00000000000000000000000000000001' as ScopeSid;
export const account = 'AC00000000000000000000000000000001' as ScopeSid;
export const role = 'IX00000000000000000000000000000103' as RoleSid;
export const externalId = 'emp-1' as ExternalId;
export const never = new AbortController().signal;

export function userSid(number: number): UserSid {
  return `US${number.toString(16).padStart(32, '0')}` as UserSid;
}

export function scimUser(number: number, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  const userName = `person${number}@corp.example`;
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    id: userSid(number),
    externalId: `emp-${number}`,
    userName,
    displayName: `Person ${number}`,
    name: { givenName: 'Person', familyName: `Number ${number}` },
    emails: [{ primary: true, value: userName, type: 'work' }],
    active: true,
    locale: 'en-US',
    timezone: 'Europe/Lisbon',
    meta: {
      resourceType: 'user',
      created: '2026-02-03T09:10:11.123456789Z',
      lastModified: '2026-02-03T09:10:11.123456789Z',
      version: 'W/4',
    },
    ...more,
  };
}

export function listOf(...resources: readonly unknown[]): ScriptedReply {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:ListResponse'];
  return { json: { schemas, totalResults: resources.length, Resources: resources } };
}

/** A SCIM error body. */
export function refusal(status: number, code?: number, headers: Record<string, string> = {}): ScriptedReply {
  const schemas = ['urn:ietf:params:scim:api:messages:2.0:Error'];
  return { status, headers, json: { schemas, detail: `refused with ${code}`, status: String(status), code } };
}

export function jwt(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'RS256' })}.${part(claims)}.c2lnbmF0dXJl`;
}

/** Tokens `token-1`, `token-2`, … */
export function tokens(more: object = {}): Respond {
  let minted = 0;
  return () => ({ json: { access_token: `token-${++minted}`, token_type: 'Bearer', expires_in: 3600, ...more } });
}

export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

export interface Scene extends AsyncDisposable {
  readonly server: ScriptedHttp;
  readonly target: TwilioTarget;
  readonly clock: VirtualClock;
  readonly log: readonly LogLine[];
  /** Requests but those for tokens. */
  readonly lines: readonly string[];
}

/** A server with these routes (a token endpoint is there), and a target that talks to it on virtual time. */
export async function stage(
  routes: Readonly<Record<string, Respond>>,
  options: Partial<TwilioOptions> = {},
): Promise<Scene> {
  const server = await startScriptedHttp(byRoute({ 'POST /v2/token': tokens(), ...routes }));
  const clock = createVirtualClock();
  const log: LogLine[] = [];
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    log.push({ level, fields: fields as LogLine['fields'], message });
  };
  const target = createTwilioTarget({
    organization,
    clientId: 'OQ00000000000000000000000000000001',
    clientSecret: { reference: `\${env:TWILIO_CLIENT_SECRET}`, read: () => 'very-secret' },
    endpoints: { iam: server.url, oauth: server.url, accounts: server.url },
    limits: { requestsPerSecond: 1000, maxConcurrent: 4, timeoutMs: 2000 },
    clock,
    logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    random: () => 0.5,
    ...options,
  });
  return {
    server,
    target,
    clock,
    log,
    get lines() {
      return server.lines.filter((line) => !line.endsWith('/v2/token'));
    },
    async [Symbol.asyncDispose]() {
      await server.close();
      await target[Symbol.asyncDispose]();
    },
  };
}

/** The error that `work` ends in. */
export async function errorFrom(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (value) => {
      throw new Error(`no error, but ${JSON.stringify(value)}`);
    },
    (error: unknown) => error,
  );
}
