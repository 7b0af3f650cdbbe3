import type { RecordedRequest } from '../../src/simulator/recorder.ts';

/** Writes that are not safe to repeat, and were, after trouble, without a look at what they were about. */
export function blindWrites(requests: Iterable<RecordedRequest>): readonly string[] {
  const troubled = new Map<string, RecordedRequest>();
  const blind: string[] = [];
  for (const request of requests) {
    if (request.method === 'GET') {
      for (const [key, write] of troubled) if (looksAt(request, write)) troubled.delete(key);
      continue;
    }
    if (request.method !== 'POST' && request.method !== 'PUT') continue;
    if (request.path.endsWith('/token')) continue;
    const { externalId, ...grant } = bodyOf(request);
    const key = `${request.method} ${request.rawPath} ${externalId ?? JSON.stringify(grant)}`;
    if (troubled.delete(key)) blind.push(key);
    if (request.fault !== undefined) troubled.set(key, request);
  }
  return blind;
}

function looksAt(read: RecordedRequest, write: RecordedRequest): boolean {
  const body = bodyOf(write);
  if (write.method === 'PUT') return read.rawPath === write.rawPath;
  if (typeof body.identity === 'string') return read.query.Identity === body.identity;
  return [body.userName, body.externalId].some((value) => read.query.filter?.includes(JSON.stringify(value)));
}

function bodyOf({ body }: RecordedRequest): Readonly<Record<string, unknown>> {
  return (body ?? {}) as Readonly<Record<string, unknown>>;
}
