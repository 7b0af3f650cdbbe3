import { describe, expect, it } from 'vitest';
import { configurationDigestInput } from '../../src/config/digest-input.ts';
import { issuesOf, load, minimal } from '../support/config-files.ts';

function twilio(more: string): string {
  return minimal('', {
    twilio: `twilio:
  organizationSid: OR00000000000000000000000000000001
  oauth: { clientId: "\${env:CLIENT_ID}", clientSecret: "\${env:CLIENT_SECRET}"${more} }
`,
  });
}

const approved = ', grantType: authorization_code, redirectUri: "https://corp.example/x", approvedBy: svc@corp.example';

describe('twilio.oauth with authorization_code', () => {
  it('keeps the token beside the snapshot unless another file is named', () => {
    const byDefault = load(twilio(approved), { TDSYNC_SNAPSHOT_PATH: '/var/lib/tdsync/state.db' }).configuration;
    const named = load(twilio(`${approved}, tokenFile: ../tokens/t.json`)).configuration;

    expect(byDefault.twilio.oauth).toMatchObject({
      grantType: 'authorization_code',
      redirectUri: 'https://corp.example/x',
      approvedBy: 'svc@corp.example',
      tokenFile: '/var/lib/tdsync/tdsync-token.json',
    });
    expect(named.twilio.oauth).toMatchObject({ tokenFile: expect.stringMatching(/^\/.*\/tokens\/t\.json$/) });
  });

  it('needs the redirect URL and the person who approves, and says both at once', () => {
    expect(issuesOf(twilio(', grantType: authorization_code'))).toEqual([
      '3 twilio.oauth.redirectUri: is required with `grantType: authorization_code`',
      '3 twilio.oauth.approvedBy: is required with `grantType: authorization_code`',
    ]);
  });

  it('alone has its keys: with client_credentials they mean that something is missing', () => {
    expect(issuesOf(twilio(', tokenFile: t.json, approvedBy: svc@corp.example'))).toEqual([
      '3 twilio.oauth.tokenFile: belongs to `grantType: authorization_code`',
      '3 twilio.oauth.approvedBy: belongs to `grantType: authorization_code`',
    ]);
  });

  it.each([
    'http://127.0.0.1:8581/callback',
    'http://localhost:8581/callback',
    'http://[::1]:8581/',
    'https://corp.example/back?tenant=7',
  ])('takes the redirect URL %s', (url) => {
    expect(load(twilio(approved.replace('https://corp.example/x', url))).configuration.twilio.oauth).toMatchObject({
      redirectUri: url,
    });
  });

  it.each([
    'http://corp.example/callback',
    'http://127.0.0.1/callback',
    'https://user:pass@corp.example/',
    'https://corp.example/#x',
    'urn:ietf:wg:oauth:2.0:oob',
    'callback',
  ])('refuses the redirect URL %s', (url) => {
    expect(issuesOf(twilio(approved.replace('https://corp.example/x', url)))).toEqual([
      expect.stringMatching(/^3 twilio\.oauth\.redirectUri: must be https:/),
    ]);
  });

  it('makes another plan, because one more person is never changed; without it the digest is as before', () => {
    const policyOf = (more: string) =>
      configurationDigestInput(load(twilio(more)).configuration).rules as { policy: object };

    expect(policyOf(approved).policy).toMatchObject({ approver: 'svc@corp.example' });
    expect(policyOf('').policy).not.toHaveProperty('approver');
  });
});
