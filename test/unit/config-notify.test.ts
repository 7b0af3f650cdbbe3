import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { checkSecrets, secretNotices } from '../../src/config/secret-checks.ts';
import { errorOf, issuesOf, load, minimal, writeConfig } from '../support/config-files.ts';

function hook(text: string): string {
  return minimal(`notify:\n  - ${text}\n`);
}

describe('a hook in the configuration', () => {
  it('needs a place only: it is told of everything, as JSON, unsigned, in five seconds', () => {
    const { notify } = load(hook('url: https://hooks.corp.example/a')).configuration;

    expect(notify).toMatchObject([
      { on: ['refused', 'failed', 'partial', 'recovered'], format: 'json', timeoutMs: 5_000 },
    ]);
    expect(notify[0]).not.toHaveProperty('secret');
  });

  it('is printed without the part of its URL that may hold a token', () => {
    const [plain, referred] = load(minimal(`notify:\n  - url: https://h.example/T0KEN\n  - url: \${env:HOOK_URL}\n`), {
      HOOK_URL: 'https://hooks.corp.example/T0KEN',
    }).configuration.notify;

    expect(plain?.url.reference).toBe('https://h.example/…');
    expect(plain?.url.read()).toBe('https://h.example/T0KEN');
    expect(referred?.url.reference).toBe(`\${env:HOOK_URL}`);
    expect(referred?.url.read()).toBe('https://hooks.corp.example/T0KEN');
  });

  it.each(['http://hooks.corp.example/T0KEN', 'https://user:T0KEN@hooks.corp.example', 'ftp://T0KEN.example', 'T0KEN'])(
    'is refused where what it is told could be read on the way, in the file or behind a reference: %s',
    (url) => {
      const literal = issuesOf(hook(`url: ${url}`));
      const { configuration } = load(hook(`url: \${env:HOOK_URL}`), { HOOK_URL: url });
      const referred = errorOf(() => configuration.notify[0]?.url.read());

      expect(literal).toEqual([
        expect.stringMatching(/^8 notify\[0\]\.url: must be a reference, .* or an https:\/\/ URL/),
      ]);
      expect(referred.message).toMatch(/^notify\[0\]\.url: \$\{env:HOOK_URL\}: is not an https:\/\/ URL/);
      expect(`${literal}${referred.message}`).not.toContain('T0KEN');
    },
  );

  it('may stand on this machine without TLS', () => {
    const { notify } = load(hook('url: http://127.0.0.1:9000/x')).configuration;

    expect(notify[0]?.url.read()).toBe('http://127.0.0.1:9000/x');
  });

  it('is refused with every mistake in it', () => {
    const url = 'https://h.example';
    const text = minimal(
      `notify:
  - { url: ${url}, on: [refusd], format: text, secret: literal, timeout: 31s }
  - { url: ${url}/x, on: [], retries: 3 }
`,
    );

    expect(issuesOf(text)).toEqual([
      '8 notify[0].on[0]: must be one of refused, failed, partial, recovered, not "refusd"; did you mean refused?',
      '8 notify[0].format: must be one of json, slack, not "text"',
      expect.stringMatching(/^8 notify\[0\]\.secret: must be a reference/),
      '8 notify[0].timeout: must be at most 30s',
      '9 notify[1].on: must have at least one item',
      expect.stringMatching(/^9 notify\[1\]\.retries: is not a known key/),
    ]);
  });

  it('may not stand twice, for then what it was told would be told apart no more', () => {
    const twice = issuesOf(minimal('notify: [{ url: https://h.example }, { url: https://h.example, on: [failed] }]\n'));

    expect(twice).toEqual(['7 notify: names one place twice in the same format']);
    expect(
      load(minimal('notify: [{ url: https://h.example }, { url: https://h.example, format: slack }]\n')),
    ).toBeDefined();
  });

  it('is known again by its place and format, whatever else of it changes', () => {
    const keys = [
      '{ url: https://a.example }',
      '{ url: https://a.example, on: [failed] }',
      '{ url: https://b.example }',
    ].map((text) => load(hook(text)).configuration.notify[0]?.key);

    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).not.toBe(keys[2]);
  });

  it('has its secrets looked at by `config check` and `doctor`', () => {
    const { configuration } = load(hook(`{ url: "\${env:HOOK_URL}", secret: "\${env:HOOK_SECRET}" }`), {
      HOOK_URL: 'http://elsewhere.example',
    });

    const checks = checkSecrets(configuration).filter(({ path }) => path.startsWith('notify'));

    expect(checks).toMatchObject([
      { path: 'notify[0].url', resolves: false, message: expect.stringContaining('is not an https:// URL') },
      { path: 'notify[0].secret', resolves: false, message: expect.stringContaining('HOOK_SECRET is not set') },
    ]);
  });

  it('is warned about when everybody can read the file of its URL or secret', () => {
    const file = writeConfig(hook(`{ url: "\${file:url}", secret: "\${file:key}" }`));
    for (const name of ['url', 'key']) {
      writeFileSync(join(dirname(file), name), 'https://hooks.corp.example/T0KEN');
      chmodSync(join(dirname(file), name), 0o644);
    }

    const notices = secretNotices(loadConfiguration(file, {}).configuration);

    expect(notices.map(({ path }) => path)).toEqual(['notify[0].url', 'notify[0].secret']);
  });
});
