/** A small LDAP server that says exactly what a test scripts: for answers that a well-behaved directory cannot be brought to give. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { BerReader, BerWriter, PagedResultsControl, PresenceFilter, SearchRequest } from 'ldapts';
import { onTestFinished } from 'vitest';
import { createFramer, type Frame } from '../../src/sources/ldap/framing.ts';

export interface SeenSearch {
  readonly base: string;
  readonly scope: string;
  /** RFC 4515 text. */
  readonly filter: string;
  /** Lower case. */
  readonly attributes: readonly string[];
  /** Undefined when the search was not paged. */
  readonly pageSize: number | undefined;
  readonly cookie: string;
  readonly sizeLimit: number;
  readonly timeLimit: number;
}

export interface ScriptedResult {
  readonly code?: number;
  readonly message?: string;
  readonly matchedDn?: string;
  readonly referrals?: readonly string[];
  /** Left out: no paged results control in the answer. Empty: the last page. */
  readonly cookie?: string;
  /** Values of other controls, by their OIDs. */
  readonly controls?: Readonly<Record<string, Buffer>>;
}

export type Reply =
  | { readonly entry: string; readonly attributes: Readonly<Record<string, readonly (string | Buffer)[]>> }
  | { readonly reference: readonly string[] }
  | { readonly done: ScriptedResult }
  /** Unsolicited notice of disconnection (RFC 4511 section 4.4.1). */
  | { readonly notice: { readonly code: number; readonly message: string } }
  | { readonly raw: Buffer }
  /** The content of an intermediate response (RFC 4511 section 4.13). */
  | { readonly intermediate: Buffer }
  /** Closes the connection in an orderly way, or breaks it. */
  | 'end'
  | 'reset'
  | 'silence';

export interface Script {
  /** Result of every bind, or what is said to it; 0 when left out. */
  readonly bind?: ScriptedResult | (() => readonly Reply[]);
  /** Answer to StartTLS; protocolError when left out. */
  readonly startTls?: readonly Reply[];
  /** `index` counts the searches of this server from 0. */
  search(search: SeenSearch, index: number): readonly Reply[];
  /** Answer to a search for one entry, which asks whether something is hidden; nothing is when left out. They are not counted. */
  question?(search: SeenSearch): readonly Reply[];
}

export interface LdapServer {
  readonly url: string;
  readonly searches: readonly SeenSearch[];
  /** Searches for one entry. */
  readonly questions: readonly SeenSearch[];
  /** Bind DNs in order. */
  readonly binds: readonly string[];
  /** Unbind requests. */
  unbinds(): number;
  /** Resolves when the first search has come. */
  searched(): Promise<void>;
  /** Resolves when no client is connected. */
  disconnected(): Promise<void>;
  stop(): Promise<void>;
}

const bindRequest = 0x60;
const unbindRequest = 0x42;
const searchRequest = 0x63;
const extendedRequest = 0x77;

export async function startLdapServer(script: Script): Promise<LdapServer> {
  const searches: SeenSearch[] = [];
  const questions: SeenSearch[] = [];
  const binds: string[] = [];
  const clients = new Set<Socket>();
  let unbinds = 0;
  let onDisconnected = () => {};
  const firstSearch = Promise.withResolvers<void>();

  const server = createServer((socket) => {
    clients.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => {
      clients.delete(socket);
      if (clients.size === 0) onDisconnected();
    });
    const framer = createFramer((frame) => {
      if (frame.operation === bindRequest) {
        const reader = readerOf(frame);
        reader.readInt();
        binds.push(reader.readString() ?? '');
        const { bind = {} } = script;
        send(socket, frame.messageId, typeof bind === 'function' ? bind() : [{ done: bind }], 0x61);
      } else if (frame.operation === searchRequest) {
        const search = readSearch(frame);
        if (search.sizeLimit === 1) {
          questions.push(search);
          send(socket, frame.messageId, script.question?.(search) ?? [{ done: {} }], 0x65);
          return;
        }
        searches.push(search);
        firstSearch.resolve();
        send(socket, frame.messageId, script.search(search, searches.length - 1), 0x65);
      } else if (frame.operation === extendedRequest) {
        send(socket, frame.messageId, script.startTls ?? [{ done: { code: 2, message: 'no such operation' } }], 0x78);
      } else if (frame.operation === unbindRequest) {
        unbinds += 1;
        socket.end();
      }
    });
    socket.on('data', (chunk) => framer.push(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  return {
    url: `ldap://127.0.0.1:${port}`,
    searches,
    questions,
    binds,
    unbinds: () => unbinds,
    searched: () => firstSearch.promise,
    disconnected: () =>
      new Promise((resolve) => {
        onDisconnected = resolve;
        if (clients.size === 0) resolve();
      }),
    async stop() {
      for (const socket of clients) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A server that stops when the test has finished. */
export async function serve(script: Script): Promise<LdapServer> {
  const server = await startLdapServer(script);
  onTestFinished(() => server.stop());
  return server;
}

function readerOf(frame: Frame): BerReader {
  return new BerReader(Buffer.from(frame.bytes.subarray(frame.start, frame.limit)));
}

function readSearch(frame: Frame): SeenSearch {
  const request = new SearchRequest({ messageId: frame.messageId, filter: new PresenceFilter({ attribute: 'x' }) });
  request.parse(readerOf(frame), []);
  const paging = request.controls?.find((control) => control instanceof PagedResultsControl);
  return {
    base: request.baseDN,
    scope: request.scope,
    filter: request.filter.toString(),
    attributes: request.attributes,
    pageSize: paging?.value?.size,
    cookie: paging?.value?.cookie?.toString() ?? '',
    sizeLimit: request.sizeLimit,
    timeLimit: request.timeLimit,
  };
}

function send(socket: Socket, messageId: number, replies: readonly Reply[], resultOperation: number): void {
  const pieces: Buffer[] = [];
  const flush = (then: () => void) => socket.write(Buffer.concat(pieces.splice(0)), then);
  for (const reply of replies) {
    if (reply === 'silence') break;
    if (reply === 'end') return void flush(() => socket.end());
    if (reply === 'reset') return void flush(() => socket.resetAndDestroy());
    pieces.push(encodeReply(messageId, reply, resultOperation));
  }
  flush(() => {});
}

/** One LDAPMessage, encoded. */
export function encodeReply(messageId: number, reply: Exclude<Reply, string>, resultOperation = 0x65): Buffer {
  if ('raw' in reply) return reply.raw;
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt('notice' in reply ? 0 : messageId);
  if ('entry' in reply) writeEntry(writer, reply.entry, reply.attributes);
  else if ('reference' in reply) {
    writer.startSequence(0x73);
    writer.writeStringArray([...reply.reference]);
    writer.endSequence();
  } else if ('intermediate' in reply) {
    writer.writeBuffer(reply.intermediate, 0x79);
  } else if ('notice' in reply) {
    writer.startSequence(0x78);
    writeResult(writer, reply.notice);
    writer.writeString('1.3.6.1.4.1.1466.20036', 0x8a);
    writer.endSequence();
  } else {
    writer.startSequence(resultOperation);
    writeResult(writer, reply.done);
    writer.endSequence();
    writeControls(writer, reply.done);
  }
  writer.endSequence();
  return Buffer.from(writer.buffer);
}

function writeEntry(
  writer: BerWriter,
  dn: string,
  attributes: Readonly<Record<string, readonly (string | Buffer)[]>>,
): void {
  writer.startSequence(0x64);
  writer.writeString(dn);
  writer.startSequence();
  for (const [name, values] of Object.entries(attributes)) {
    writer.startSequence();
    writer.writeString(name);
    writer.startSequence(0x31);
    for (const value of values) writer.writeBuffer(Buffer.from(value), 0x04);
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  writer.endSequence();
}

function writeResult(writer: BerWriter, result: ScriptedResult): void {
  writer.writeEnumeration(result.code ?? 0);
  writer.writeString(result.matchedDn ?? '');
  writer.writeString(result.message ?? '');
  if (result.referrals === undefined) return;
  writer.startSequence(0xa3);
  writer.writeStringArray([...result.referrals]);
  writer.endSequence();
}

function writeControls(writer: BerWriter, { cookie, controls = {} }: ScriptedResult): void {
  if (cookie === undefined && Object.keys(controls).length === 0) return;
  writer.startSequence(0xa0);
  if (cookie !== undefined) new PagedResultsControl({ value: { size: 0, cookie: Buffer.from(cookie) } }).write(writer);
  for (const [oid, value] of Object.entries(controls)) {
    writer.startSequence();
    writer.writeString(oid);
    writer.writeBuffer(value, 0x04);
    writer.endSequence();
  }
  writer.endSequence();
}
