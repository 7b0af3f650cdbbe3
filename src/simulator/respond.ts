import type { ServerResponse } from 'node:http';
import type { Reply } from './reply.ts';

/** Sends an answer; resolves when everything is written or the client has gone. */
export async function send(response: ServerResponse, reply: Reply): Promise<void> {
  writeHead(response, reply);
  if (reply.body === undefined || typeof reply.body === 'string') {
    response.end(reply.body);
    return;
  }
  for (const chunk of reply.body) {
    if (response.destroyed) return;
    if (!response.write(chunk)) await drained(response);
  }
  response.end();
}

/** Sends the head and half of the body, then cuts the connection. */
export async function sendTruncated(response: ServerResponse, reply: Reply): Promise<void> {
  writeHead(response, reply);
  const body = typeof reply.body === 'object' ? Buffer.concat([...reply.body]) : Buffer.from(reply.body ?? '');
  const half = body.subarray(0, Math.floor(body.length / 2));
  // The reset must not overtake what was written.
  await new Promise<void>((resolve) => {
    response.on('close', resolve);
    response.write(half.length > 0 ? half : ' ', () => resolve());
  });
  response.socket?.destroy();
}

function writeHead(response: ServerResponse, reply: Reply): void {
  response.statusCode = reply.status;
  if (reply.contentType !== undefined) response.setHeader('Content-Type', reply.contentType);
  if (typeof reply.body === 'string') response.setHeader('Content-Length', Buffer.byteLength(reply.body));
  else if (reply.body === undefined && reply.status !== 204) response.setHeader('Content-Length', 0);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}
