import { describe, expect, it } from 'vitest';
import { configurationDigestInput } from '../../src/config/digest-input.ts';
import { load, minimal, sections } from '../support/config-files.ts';

const bound = sections.ldap.replace('users:', `bindDn: cn=sync, bindPassword: "\${env:A}", users:`);

function inputOf(text: string, environment: Record<string, string> = {}): string {
  return JSON.stringify(configurationDigestInput(load(text, environment).configuration));
}

describe('configurationDigestInput', () => {
  it.each([
    ['the folder of the file', minimal(), minimal()],
    ['log and schedule', minimal(), minimal('log: { level: debug }\nschedule: { cron: "* * * * *" }\n')],
    ['the snapshot', minimal(), minimal('snapshot: { path: /x.db }\n')],
    ['hooks', minimal(), minimal('notify: [{ url: https://h.example }]\n')],
    ['limits', minimal(), minimal('', { twilio: `${sections.twilio}  limits: { requestsPerSecond: 1 }\n` })],
    ['where a secret stands', minimal('', { csv: bound }), minimal('', { csv: bound.replace('env:A', 'file:/b') })],
    [
      'the order of protected people',
      minimal('', { policy: 'policy: { mode: sync, protect: [a, b] }\n' }),
      minimal('', { policy: 'policy: { mode: sync, protect: [b, a] }\n' }),
    ],
    ['a default that is written down', minimal(), minimal('guards: { creations: { count: 100 } }\n')],
  ])('does not depend on %s', (_, a, b) => {
    expect(inputOf(a)).toBe(inputOf(b));
  });

  it.each([
    ['the organization', minimal('', { twilio: sections.twilio.replace('0001', '0002') })],
    ['the endpoint', minimal('', { twilio: `${sections.twilio}  endpoints: { iam: "http://127.0.0.1:1" }\n` })],
    ['the generation', minimal('', { twilio: `${sections.twilio}  endpoints: { generation: preview }\n` })],
    ['the key column', minimal('', { csv: sections.csv.replace('employeeId', 'mail') })],
    ['the filter', minimal('filter: "true"\n')],
    ['the mapping', minimal('', { attributes: 'attributes: { userName: uid }\n' })],
    ['the roles', minimal('roles: [{ when: "true", grants: [{ role: R, scope: organization }] }]\n')],
    ['the policy', minimal('', { policy: 'policy: { mode: sync, drift: report }\n' })],
    ['the guards', minimal('guards: { creations: { count: 101 } }\n')],
    ['the type of source', minimal('', { csv: sections.ldap })],
  ])('depends on %s', (_, changed) => {
    expect(inputOf(changed)).not.toBe(inputOf(minimal()));
  });

  it('holds neither secrets nor paths of this machine', () => {
    const text = inputOf(minimal('', { csv: bound }), {
      A: 'hunter2',
      CLIENT_ID: 'hunter2',
    });

    expect(text).not.toMatch(/hunter2|env:|tmp|\.db/);
  });
});
