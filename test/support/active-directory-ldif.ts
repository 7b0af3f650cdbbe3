/** What an Active Directory of the tests holds, as LDIF. */

export const domainDn = 'DC=example,DC=com';
export const staffDn = `OU=Staff,${domainDn}`;
export const teamsDn = `OU=Teams,${domainDn}`;
export const servicesDn = `OU=Services,${domainDn}`;

/** The account that reads. */
export const syncName = 'svc-tdsync';
export const syncDn = `CN=${syncName},${servicesDn}`;
export const servicePassword = 'Sync-Passw0rd';

type Values = Readonly<Record<string, string | readonly string[] | Buffer>>;

/** One record; bytes and whatever LDIF cannot hold as text are in base64 (RFC 2849). */
export function record(dn: string, attributes: Values): string {
  const lines = Object.entries(attributes).flatMap(([name, values]) =>
    (typeof values === 'string' || Buffer.isBuffer(values) ? [values] : values).map((value) => line(name, value)),
  );
  return `${[line('dn', dn), ...lines].join('\n')}\n\n`;
}

/** A change of one attribute, whose values these are afterwards. */
export function replacement(dn: string, attribute: string, ...values: readonly string[]): string {
  return change(dn, 'replace', attribute, values);
}

export function change(
  dn: string,
  how: 'add' | 'delete' | 'replace',
  attribute: string,
  values: readonly string[],
): string {
  const lines = values.map((value) => line(attribute, value));
  return `${[line('dn', dn), 'changetype: modify', `${how}: ${attribute}`, ...lines, '-'].join('\n')}\n\n`;
}

function line(name: string, value: string | Buffer): string {
  return typeof value === 'string' && /^[!-9;=-~][ -~]*$/.test(value)
    ? `${name}: ${value}`
    : `${name}:: ${Buffer.from(value).toString('base64')}`;
}

/** An enabled account without a password (NORMAL_ACCOUNT, PASSWD_NOTREQD), in OU=Staff. */
export function person(name: string, attributes: Values = {}): string {
  return record(personDn(name), {
    objectClass: 'user',
    sAMAccountName: name,
    givenName: name,
    sn: 'Example',
    mail: `${name}@example.com`,
    userAccountControl: '544',
    ...attributes,
  });
}

export function personDn(name: string): string {
  return `CN=${name},${staffDn}`;
}

/** An account that can sign in, in OU=Services. */
export function service(name: string, attributes: Values = {}): string {
  return record(`CN=${name},${servicesDn}`, {
    objectClass: 'user',
    sAMAccountName: name,
    userPrincipalName: `${name}@example.com`,
    userAccountControl: '66048',
    clearTextPassword: Buffer.from(servicePassword, 'utf16le'),
    ...attributes,
  });
}

/** A global security group in OU=Teams; members are DNs. */
export function team(name: string, members: readonly string[], attributes: Values = {}): string {
  return record(teamDn(name), { objectClass: 'group', sAMAccountName: name, member: members, ...attributes });
}

export function teamDn(name: string): string {
  return `CN=${name},${teamsDn}`;
}

/** Milliseconds since the epoch as intervals of 100 ns since 1601. */
export function fileTime(ms: number): string {
  return String((BigInt(ms) + 11_644_473_600_000n) * 10_000n);
}
