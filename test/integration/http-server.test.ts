/** The server for machines that watch, over real sockets: what it answers, and whom it gets rid of. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConfigError } from '../../src/errors.ts';
import { type HttpServer, startHttpServer } from '../../src/ops/http-server.ts';

const local = { host: '127.0.0.1', port: 0 };
const page = () => ({ status: 200, type: 'text/plain', body: 'a page\n' });

describe('the server', () => {
  const failures: string[] = [];
  let server: HttpServer;

  beforeAll(async () => {
    const broken = () => {
      throw new Error('planted-reason');
    };
    server = await startHttpServer(local, { '/page': page, '/broken': broken }, (path, error) =>
      failures.push(`${path}: ${(error as Error).message}`),
    );
  });

  afterAll(() => server[Symbol.asyncDispose]());

  function socket(): Socket {
    return connect(Number(new URL(server.url).port), '127.0.0.1');
  }

  /** All that comes until the other side ends the connection. */
  async function untilClosed(connection: Socket): Promise<string> {
    let text = '';
    connection.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
    connection.on('error', () => {});
    await once(connection, 'close');
    return text;
  }

  test('answers GET with the page, whatever the query, and HEAD without it', async () => {
    const get = await fetch(`${server.url}/page?x=1`);
    const head = await fetch(`${server.url}/page`, { method: 'HEAD' });

    expect([get.status, get.headers.get('content-type'), await get.text()]).toEqual([200, 'text/plain', 'a page\n']);
    expect(get.headers.get('cache-control')).toBe('no-store');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '7', '']);
  });

  test.each(['/', '/page/', '/../page/x', '/__proto__', '/toString', '//page'])('has nothing at %s', async (path) => {
    const { status } = await fetch(`${server.url}${path}`);

    expect(status).toBe(404);
  });

  test.each(['DELETE', 'OPTIONS', 'PATCH'])('does not take %s', async (method) => {
    const answer = await fetch(`${server.url}/page`, { method });

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('takes no body, and ends the connection without reading it', async () => {
    const connection = socket();
    connection.write('POST /page HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nthe beginning');

    const text = await untilClosed(connection);

    expect(text).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('tells what went wrong with a page to whoever runs it, not to whoever asks', async () => {
    const answer = await fetch(`${server.url}/broken`);

    expect([answer.status, await answer.text()]).toEqual([503, expect.not.stringContaining('planted-reason')]);
    expect(failures).toEqual(['/broken: planted-reason']);
  });

  test.each([
    ['headers that are too large', `GET /page HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(9_000)}\r\n\r\n`, 431],
    ['what is not HTTP', 'EHLO corp.example\r\n\r\n', 400],
  ])('refuses %s and ends the connection', async (_what, sent, status) => {
    const connection = socket();
    connection.write(sent);

    expect(await untilClosed(connection)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  });
});

describe('a server with short patience', () => {
  test('ends the connection of whoever does not finish asking', async () => {
    const limits = { headersMs: 30, requestMs: 30, idleMs: 10_000, checkMs: 10, mostConnections: 5 };
    await using server = await startHttpServer(local, { '/page': page }, () => {}, limits);
    const connection = connect(Number(new URL(server.url).port), '127.0.0.1');
    let text = '';
    connection.on('data', (piece) => {
      text += piece;
    });
    connection.write('GET /page HTTP/1.1\r\nHost:');

    await once(connection, 'close');

    expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });

  test('ends a connection on which nothing happens', async () => {
    const limits = { headersMs: 10_000, requestMs: 10_000, idleMs: 30, checkMs: 10_000, mostConnections: 5 };
    await using server = await startHttpServer(local, { '/page': page }, () => {}, limits);
    const connection = connect(Number(new URL(server.url).port), '127.0.0.1');

    connection.resume();

    await once(connection, 'close');
  });

  test('takes no more connections than it can bear, and takes new ones when old ones have gone', async () => {
    const limits = { headersMs: 10_000, requestMs: 10_000, idleMs: 10_000, checkMs: 1_000, mostConnections: 2 };
    await using server = await startHttpServer(local, { '/page': page }, () => {}, limits);
    const port = Number(new URL(server.url).port);
    const ask = async (connection: Socket) => {
      connection.write('GET /page HTTP/1.1\r\nHost: x\r\n\r\n');
      const [answer] = await Promise.race([once(connection, 'data'), once(connection, 'close').then(() => ['closed'])]);
      return String(answer).split('\r\n')[0];
    };
    const kept = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    for (const each of kept) expect(await ask(each)).toBe('HTTP/1.1 200 OK');

    const refused = connect(port, '127.0.0.1').on('error', () => {});
    await once(refused, 'close');
    const gone = kept.map((each) => once(each.destroy(), 'close'));
    await Promise.all(gone);
    let later = 'closed';
    for (let tries = 0; later === 'closed' && tries < 1_000; tries += 1) {
      later = (await ask(connect(port, '127.0.0.1').on('error', () => {}))) ?? '';
    }

    expect(later).toBe('HTTP/1.1 200 OK');
  });

  test('ends every connection when it is disposed of', async () => {
    const server = await startHttpServer(local, { '/page': page }, () => {});
    const connection = connect(Number(new URL(server.url).port), '127.0.0.1');
    await once(connection, 'connect');
    const closed = once(connection.resume(), 'close');

    await server[Symbol.asyncDispose]();

    await closed;
    await expect(fetch(`${server.url}/page`)).rejects.toThrow();
  });

  test.each([
    ['somebody else has the port', (taken: number) => ({ host: '127.0.0.1', port: taken }), 'EADDRINUSE'],
    ['the address is not of this machine', () => ({ host: '192.0.2.1', port: 0 }), 'EADDRNOTAVAIL'],
  ])('does not start when %s, and says so with the key', async (_why, where, code) => {
    await using other = await startHttpServer(local, {}, () => {});
    const address = where(Number(new URL(other.url).port));

    const error = await startHttpServer(address, {}, () => {}).catch((thrown: unknown) => thrown);

    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).issues).toMatchObject([{ path: 'server.listen' }]);
    expect((error as ConfigError).message).toContain(`cannot listen on ${address.host}:${address.port}`);
    expect((error as ConfigError).message).toContain(code);
  });
});
