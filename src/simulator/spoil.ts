/** Real answers, sent the way that a fault says. */
import { type ServerResponse, STATUS_CODES } from 'node:http';
import { pageReply } from './fault-reply.ts';
import type { NamedFault } from './faults.ts';
import type { Reply } from './reply.ts';
import { drained, send, writeHead } from './respond.ts';

/** Milliseconds between two bytes of an answer that drips. */
const dripMs = 25;

/** Waits; ends with the simulator. */
export type Delay = (ms: number) => Promise<void>;

type Spoil = (response: ServerResponse, reply: Reply, delay: Delay) => Promise<void>;

export type Spoiling = Exclude<NamedFault, 'reset-before' | 'hang' | 'hang-after' | 'html' | 'html-after' | 'page'>;

export const spoils: Readonly<Record<Spoiling, Spoil>> = {
  async 'reset-after'(response) {
    response.socket?.resetAndDestroy();
  },
  async 'reset-head'(response, reply) {
    await writeRaw(response, headOf(reply).slice(0, 24));
    response.socket?.destroy();
  },
  async truncate(response, reply) {
    writeHead(response, reply);
    await writeOut(response, halfOf(reply) || ' ');
    response.socket?.destroy();
  },
  'cut-short': (response, reply) => send(response, { ...reply, body: halfOf(reply) }),
  async empty(response, { body: _body, contentType: _type, ...reply }) {
    await send(response, reply);
  },
  async endless(response, reply) {
    writeHead(response, { ...reply, status: reply.status === 204 ? 200 : reply.status, body: [] });
    response.write(textOf(reply));
    const blanks = Buffer.alloc(1 << 18, ' ');
    while (!response.destroyed) if (!response.write(blanks)) await drained(response);
  },
  async drip(response, reply, delay) {
    const { socket } = response;
    const body = textOf(reply);
    if (body === '') for (const byte of headOf(reply)) await slowly(() => socket?.write(byte));
    else writeHead(response, reply);
    for (const byte of body) await slowly(() => response.write(byte));
    response.end();

    async function slowly(write: () => unknown): Promise<void> {
      if (response.destroyed) return;
      write();
      await delay(dripMs);
    }
  },
  mistyped: (response, reply) =>
    send(response, reply.body === undefined ? reply : { ...reply, contentType: 'text/html' }),
  'page-after': (response, { status }) => send(response, pageReply(status)),
};

function textOf({ body = '' }: Reply): string {
  return typeof body === 'string' ? body : Buffer.concat([...body]).toString();
}

function halfOf(reply: Reply): string {
  const text = textOf(reply);
  return text.slice(0, Math.floor(text.length / 2));
}

function headOf({ status }: Reply): string {
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nDate: ${new Date(0).toUTCString()}\r\n`;
}

/** A reset must not overtake what was written. */
function writeOut(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.on('close', resolve);
    response.write(text, () => resolve());
  });
}

function writeRaw(response: ServerResponse, text: string): Promise<void> {
  return new Promise((resolve) => {
    response.on('close', resolve);
    response.socket?.write(text, () => resolve());
  });
}
