import { type Failure, refuse } from './errors.ts';
import type { Quirks } from './quirks.ts';
import { type Answer, type Call, scimJson, type World } from './reply.ts';
import { renderKey, renderUser } from './user-resource.ts';
import type { StoredUser } from './user-store.ts';
import { isFailure } from './user-validation.ts';

const listSchema = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';

interface Filter {
  readonly attribute: 'userName' | 'externalId';
  readonly value: string;
}

/** `GET /Users`: everybody, or the one whom a filter names. */
export function listUsers(world: World, call: Call): Answer {
  const { state, quirks } = world;
  if (quirks.pagingParameters === 'refused' && (call.query.has('startIndex') || call.query.has('count'))) {
    return refuse(25001, 'paging is not supported');
  }
  const text = call.query.get('filter');
  if (text !== null) {
    const filter = parseFilter(text);
    if (isFailure(filter)) return filter;
    const found = findUser(world, filter);
    const shown = found !== undefined && isListed(found, true, quirks) && state.becomesVisible(found);
    return listReply(world, shown ? [found] : [], shown ? 1 : 0);
  }
  if (isPlain(world)) return plainListReply(world);
  const listed = [...state.users].filter((user) => isListed(user, false, quirks) && state.becomesVisible(user));
  const cut = quirks.listLimit === null ? listed : listed.slice(0, quirks.listLimit);
  return listReply(world, cut, quirks.totalResults === 'total' ? listed.length : cut.length);
}

/** The grammar that Twilio documents: one attribute, `eq`, one quoted value (a JSON string, RFC 7644 section 3.4.2.2). */
function parseFilter(text: string): Filter | Failure {
  const match = /^\s*([A-Za-z][\w.:$-]*)\s+([A-Za-z]+)\s+("(?:[^"\\]|\\.)*")\s*$/.exec(text);
  if (match === null) return refuse(25001, text);
  const [, name = '', operator = '', quoted = ''] = match;
  const attribute = (['userName', 'externalId'] as const).find((each) => each.toLowerCase() === name.toLowerCase());
  if (attribute === undefined) return refuse(25001, `attribute ${name}`);
  if (operator.toLowerCase() !== 'eq') return refuse(25001, `operator ${operator}`);
  try {
    return { attribute, value: JSON.parse(quoted) as string };
  } catch {
    return refuse(25001, `value ${quoted}`);
  }
}

function findUser(world: World, filter: Filter): StoredUser | undefined {
  const { users } = world.state;
  if (filter.attribute === 'externalId') return users.byExternalId(filter.value);
  const user = users.byUserName(filter.value);
  return world.quirks.userNameFilter === 'insensitive' || user?.userName === filter.value ? user : undefined;
}

function isListed(user: StoredUser, filtered: boolean, quirks: Quirks): boolean {
  if (user.status === 'active') return true;
  const rule = user.status === 'inactive' ? quirks.inactiveInList : quirks.suspendedInList;
  return rule === 'shown' || (rule === 'hidden' && filtered);
}

/** True when the list is simply everybody, so that the pages kept by the store serve. */
function isPlain(world: World): boolean {
  const { state, quirks } = world;
  return (
    quirks.listLimit === null &&
    quirks.inactiveInList === 'shown' &&
    quirks.suspendedInList === 'shown' &&
    state.hiddenReads.size === 0 &&
    state.users.size > 0
  );
}

function plainListReply(world: World): Answer {
  const { users } = world.state;
  return chunkedReply(listHead(world, users.size, users.size), renderedPages(world));
}

/** Renders the pages of the list that are not rendered yet, so that the next list is only written. */
export function renderedPages(world: World): readonly Uint8Array[] {
  const { state, quirks } = world;
  // All at once, so that a change during the transfer cannot make the list contradict its own count.
  return [...state.users.pages((user) => renderUser(user, quirks), renderKey(quirks))];
}

function listReply(world: World, users: readonly StoredUser[], total: number): Answer {
  const head = listHead(world, users.length, total);
  if (users.length === 0 && world.quirks.emptyList === 'absent') {
    return { kind: 'reply', status: 200, contentType: scimJson, body: `${head}}` };
  }
  // Records are never changed in place, so rendering them while they are sent still shows one moment.
  if (users.length > chunkSize) return chunkedReply(head, renderChunks(users, world.quirks));
  const resources = users.map((user) => renderUser(user, world.quirks)).join(',');
  return { kind: 'reply', status: 200, contentType: scimJson, body: `${head},"Resources":[${resources}]}` };
}

const chunkSize = 256;

function* renderChunks(users: readonly StoredUser[], quirks: Quirks): Generator<Uint8Array> {
  for (let start = 0; start < users.length; start += chunkSize) {
    const chunk = users.slice(start, start + chunkSize);
    yield Buffer.from(chunk.map((user) => renderUser(user, quirks)).join(','));
  }
}

function chunkedReply(head: string, chunks: Iterable<Uint8Array>): Answer {
  return { kind: 'reply', status: 200, contentType: scimJson, body: listChunks(head, chunks) };
}

/** Everything before the people, without a closing brace. */
function listHead(world: World, returned: number, total: number): string {
  const { listAnnounces, unknownProperties } = world.quirks;
  const head = JSON.stringify({
    schemas: [listSchema],
    totalResults: total,
    ...(listAnnounces === 'startIndex' ? { startIndex: 1, itemsPerPage: returned } : undefined),
    ...(listAnnounces === 'next'
      ? { nextCursor: 'made-up', meta: { next_page_url: '/scim/v2/Users?cursor=made-up' } }
      : undefined),
    ...(unknownProperties ? { generatedBy: 'simulator', warnings: [] } : undefined),
  });
  return head.slice(0, -1);
}

function* listChunks(head: string, pages: Iterable<Uint8Array>): Generator<Uint8Array> {
  yield Buffer.from(`${head},"Resources":[`);
  let first = true;
  for (const page of pages) {
    if (!first) yield comma;
    first = false;
    yield page;
  }
  yield Buffer.from(']}');
}

const comma = Buffer.from(',');
