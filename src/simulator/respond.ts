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

/** Status and headers, as `send` sends them. */
export function writeHead(response: ServerResponse, reply: Reply): void {
  response.statusCode = reply.status;
  if (reply.contentType !== undefined) response.setHeader('Content-Type', reply.contentType);
  if (typeof reply.body === 'string') response.setHeader('Content-Length', Buffer.byteLength(reply.body));
  else if (reply.body === undefined && reply.status !== 204) response.setHeader('Content-Length', 0);
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
}

/** Resolves when more can be written, or nobody reads any more. */
export function drained(response: ServerResponse): Promise<void> {
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
