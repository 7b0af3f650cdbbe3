import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';

export const clientId = 'OQ00000000000000000000000000000001';
export const clientSecret = 'simulator-secret';
export const organization = 'OR00000000000000000000000000000001';
export const production = 'AC00000000000000000000000000000001';
export const developer = 'IX00000000000000000000000000000103';
export const studioAdmin = 'IX00000000000000000000000000000301';

export interface Received {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, and every look is an assertion
  readonly body: any;
}

export interface Api {
  readonly simulator: Simulator;
  /** The value of the header. */
  readonly authorization: string;
  get(path: string): Promise<Received>;
  post(path: string, body: unknown): Promise<Received>;
  put(path: string, body: unknown, headers?: Record<string, string>): Promise<Received>;
  patch(path: string, operations: unknown, headers?: Record<string, string>): Promise<Received>;
  delete(path: string): Promise<Received>;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function requestToken(url: string, form: Record<string, string> = {}): Promise<Received> {
  const all = { grant_type: 'client_credentials', client_id: clientId, client_secret: clientSecret, ...form };
  return received(await fetch(`${url}/v2/token`, { method: 'POST', body: new URLSearchParams(all) }));
}

/** A simulator with a bearer token in hand. */
export async function startApi(options: SimulatorOptions = {}): Promise<Api> {
  const simulator = await startSimulator(options);
  const token: string = (await requestToken(simulator.url)).body.access_token;
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const url = path.startsWith('http') ? path : simulator.url + path;
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
    const type = path.includes('/scim/') ? 'application/scim+json' : 'application/json';
    const all = {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': type }),
      ...headers,
    };
    return received(await fetch(url, { method, headers: all, ...sent }));
  };
  return {
    simulator,
    authorization: `Bearer ${token}`,
    get: (path) => call('GET', path),
    post: (path, body) => call('POST', path, body),
    put: (path, body, headers) => call('PUT', path, body, headers),
    patch: (path, operations, headers) =>
      call(
        'PATCH',
        path,
        { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'], Operations: operations },
        headers,
      ),
    delete: (path) => call('DELETE', path),
    close: () => simulator.close(),
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

export async function received(response: Response): Promise<Received> {
  const text = await response.text();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    body = undefined;
  }
  return { status: response.status, headers: response.headers, text, body };
}

/** A request body for a person at corp.example. */
export function person(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const userName = `${name}@corp.example`;
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName,
    emails: [{ primary: true, value: userName, type: 'work' }],
    ...more,
  };
}

export function withFilter(attribute: string, value: string): string {
  return `/scim/v2/Users?filter=${encodeURIComponent(`${attribute} eq ${JSON.stringify(value)}`)}`;
}
