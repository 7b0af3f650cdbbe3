import type { Quirks } from './quirks.ts';
import { type Reply, scimJson } from './reply.ts';
import type { EmailAddress, StoredUser } from './user-store.ts';

/**
 * The SCIM user as Twilio shows it (Twilio SCIM API reference), JSON text. Put together by hand, because a list of a
 * hundred thousand people through JSON.stringify costs three times as much.
 */
export function renderUser(user: StoredUser, quirks: Quirks): string {
  const none = quirks.emptyText === 'absent' ? '' : quirks.emptyText === 'empty' ? '""' : 'null';
  const given = member('givenName', user.givenName, none);
  const family = member('familyName', user.familyName, none);
  const name = given === '' && family === '' ? '' : `"name":{${(given + family).slice(0, -1)}},`;
  const active = user.status === 'active' || (user.status === 'suspended' && quirks.suspendedShows === 'active');
  return (
    `{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"${user.sid}",` +
    member('externalId', user.externalId, none) +
    member('userName', user.userName, none) +
    member('displayName', user.displayName, none) +
    name +
    `"emails":[${renderEmails(user.emails)}],"active":${active},` +
    member('locale', user.locale, none) +
    member('timezone', user.timezone, none) +
    (quirks.unknownProperties ? '"phoneticName":null,"groups":[],"preferences":{"theme":"dark"},' : '') +
    `"meta":{"resourceType":"user","created":"${user.created}","lastModified":"${user.lastModified}",` +
    `${quirks.versionForm === 'absent' ? '"location":null' : `"version":${quote(versionOf(user, quirks))}`}}}`
  );
}

function member(name: string, value: string | undefined, none: string): string {
  const text = value === undefined ? none : quote(value);
  return text === '' ? '' : `"${name}":${text},`;
}

function renderEmails(emails: readonly EmailAddress[]): string {
  let text = '';
  for (const { primary, value, type } of emails) {
    text += text === '' ? '{' : ',{';
    if (primary !== undefined) text += `"primary":${primary},`;
    text += `"value":${quote(value)}`;
    text += type === undefined ? '}' : `,"type":${quote(type)}}`;
  }
  return text;
}

/** What JSON must escape: quotes, backslashes, control characters, and lone surrogates, which are seldom enough to leave to JSON.stringify. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them unescaped
const needsEscape = /["\\\u0000-\u001f\ud800-\udfff]/;

function quote(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}

/** Everything that `renderUser` depends on besides the user. */
export function renderKey(quirks: Quirks): string {
  return `${quirks.emptyText} ${quirks.suspendedShows} ${quirks.unknownProperties} ${quirks.versionForm}`;
}

export function versionOf(user: StoredUser, quirks: Quirks): string {
  return quirks.versionForm === 'quoted' ? `W/"${user.version}"` : `W/${user.version}`;
}

export function userReply(status: number, user: StoredUser, quirks: Quirks): Reply {
  return {
    kind: 'reply',
    status,
    contentType: scimJson,
    body: renderUser(user, quirks),
    headers: quirks.etag ? { ETag: versionOf(user, quirks) } : undefined,
  };
}

let lastFormatted = { at: Number.NaN, text: '' };

/** RFC 3339 with the nine fractional digits that Twilio writes; the last six come from the SID, so that runs repeat. */
export function timestamp(at: number, sid: string): string {
  // People of one seed share the time; formatting it once makes a seed of many people start quickly.
  if (lastFormatted.at !== at) lastFormatted = { at, text: new Date(at).toISOString().slice(0, -1) };
  const digits = (Number.parseInt(sid.slice(-6), 16) % 1_000_000).toString().padStart(6, '0');
  return `${lastFormatted.text}${digits}Z`;
}
