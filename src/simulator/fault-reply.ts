import { errorReply, type Family } from './errors.ts';
import type { Fault } from './faults.ts';
import type { Quirks } from './quirks.ts';
import type { Reply } from './reply.ts';

/** What an edge proxy says when the service behind it is gone. */
const edgePage =
  '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n';

/** Codes that Twilio sends with a status when nothing more specific applies. */
const usualCodes: Readonly<Record<number, number>> = {
  400: 20001,
  401: 20003,
  403: 20003,
  404: 20404,
  429: 20429,
  500: 20500,
};

const portalPage =
  '<!DOCTYPE html>\n<html><head><title>Sign in to the network</title></head><body><form action="/login"></form></body></html>\n';

type Invented = Extract<Fault, object> | 'html' | 'html-after' | 'page';

/** The answer that a fault puts in the place of the real one. */
export function faultReply(fault: Invented, family: Family, quirks: Quirks): Reply {
  if (fault === 'page') return pageReply(200);
  if (fault === 'html' || fault === 'html-after') {
    return { kind: 'reply', status: 502, contentType: 'text/html', body: edgePage };
  }
  const { status, body, headers, code } = fault;
  if (body === undefined) {
    if (status < 400) return { kind: 'reply', status, headers };
    const failure = {
      kind: 'failure',
      status,
      code: code === undefined ? usualCodes[status] : (code ?? undefined),
    } as const;
    return errorReply(
      { ...failure, message: 'Simulated failure', ...(headers === undefined ? undefined : { headers }) },
      family,
      quirks,
    );
  }
  if (typeof body === 'string') return { kind: 'reply', status, contentType: 'text/plain', body, headers };
  return { kind: 'reply', status, contentType: 'application/json', body: JSON.stringify(body), headers };
}

/** A web page with a status that belongs to an answer. */
export function pageReply(status: number): Reply {
  return { kind: 'reply', status: status === 204 ? 200 : status, contentType: 'text/html', body: portalPage };
}
