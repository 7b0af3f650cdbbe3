import { describe, expect, it } from 'vitest';
import { configurationDigestInput } from '../../src/config/digest-input.ts';
import { issuesOf, load, minimal } from '../support/config-files.ts';

function server(listen: string): string {
  return minimal(`server: { listen: "${listen}" }\n`);
}

describe('the section server', () => {
  it('is off unless set, and then for this machine alone', () => {
    expect(load(minimal()).configuration.server).toBeUndefined();
    expect(load(minimal('server: {}\n')).configuration.server).toEqual({
      host: '127.0.0.1',
      port: 9464,
      maxAgeMs: 7_200_000,
    });
  });

  it.each([
    ['127.0.0.1:9464', '127.0.0.1', 9464],
    ['0.0.0.0:80', '0.0.0.0', 80],
    ['localhost:0', 'localhost', 0],
    ['[::1]:9464', '::1', 9464],
    ['[::]:65535', '::', 65_535],
  ])('takes %s', (listen, host, port) => {
    expect(load(server(listen)).configuration.server).toMatchObject({ host, port });
  });

  it.each(['9464', ':9464', '127.0.0.1', '127.0.0.1:65536', '::1:9464', 'http://127.0.0.1:9464', 'a b:1', '[x]:1', ''])(
    'does not take %o, and says what would be right',
    (listen) => {
      expect(issuesOf(server(listen))).toEqual([
        expect.stringMatching(/^\d+ server\.listen: must be host:port, e\.g\. /),
      ]);
    },
  );

  it('can be set by a variable alone', () => {
    const { server: set } = load(minimal(), { TDSYNC_SERVER_LISTEN: '0.0.0.0:9464' }).configuration;

    expect(set).toMatchObject({ host: '0.0.0.0', port: 9464 });
  });

  it('decides nothing about a plan', () => {
    const [without, set] = [minimal(), server('0.0.0.0:1')].map((text) =>
      configurationDigestInput(load(text).configuration),
    );

    expect(set).toEqual(without);
  });
});
