import type { IncomingMessage } from 'node:http';
import type { Body } from './reply.ts';

/** Collects a request's body. Undefined when the client went away first or sent more than `limit` bytes. */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) chunks.push(chunk);
    });
    request.on('end', () => resolve(size <= limit ? Buffer.concat(chunks) : undefined));
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

/** SCIM and JSON where JSON is wanted, a form where a form is wanted. */
export function parseBody(bytes: Buffer, contentType: string | undefined): Body {
  if (bytes.length === 0) return { form: 'none' };
  const type = contentType?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type === 'application/x-www-form-urlencoded') {
    return { form: 'urlencoded', value: Object.fromEntries(new URLSearchParams(bytes.toString())) };
  }
  if (type !== 'application/json' && type !== 'application/scim+json') {
    return { form: 'malformed', reason: `content type ${type === '' ? 'missing' : type} is not accepted` };
  }
  try {
    return { form: 'json', value: JSON.parse(bytes.toString()) as unknown };
  } catch {
    return { form: 'malformed', reason: 'the body is not JSON' };
  }
}
