/** A secret by reference. It is read anew each time, so that rotation needs no restart, and never held by the configuration. */
export interface Secret {
  /** As configured, e.g. `${env:TWILIO_CLIENT_SECRET}`: safe to print. */
  readonly reference: string;
  /** Absolute path of the file that it stands in, if it does. */
  readonly file?: string;
  /** The present value. Throws ConfigError naming the reference, never the value, when it is missing, empty or unreadable. */
  read(): string;
}

/** What is shorter is a word that messages are made of; looking for it would destroy them. */
const shortest = 6;

/**
 * How a secret may come back in a message of somebody else: as it is, in a form or URL (RFC 3986), within JSON, in base64 (RFC
 * 4648; at any of three places within what was encoded) and in hex. The longest first; none for what is too short to look for.
 */
export function secretForms(value: string): readonly string[] {
  if (value.length < shortest) return [];
  const bytes = Buffer.from(value);
  const percent = encodeURIComponent(value.toWellFormed());
  const form = new URLSearchParams([['', value]]).toString().slice(1);
  const base64 = [bytes, Buffer.from(form)].flatMap((each) => [0, 1, 2].map((shift) => inBase64(each, shift)));
  const forms = new Set([
    value,
    // However the rest is escaped, these are not.
    ...(value.match(/[A-Za-z0-9]{12,}/g) ?? []),
    percent,
    percent.replaceAll('%20', '+'),
    percent.toLowerCase(),
    form,
    JSON.stringify(value).slice(1, -1),
    ...base64,
    ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_')),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
  ]);
  return [...forms].filter((form) => form.length >= shortest).sort((a, b) => b.length - a.length);
}

/** Without the characters at both ends that other bytes have a part in. */
function inBase64(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const end = (shift + bytes.length) % 3 === 0 ? text.length : text.length - 1;
  return text.slice(shift === 0 ? 0 : shift + 1, end);
}

/** The text without these secrets in any of their forms. */
export function withoutSecrets(text: string, secrets: readonly string[], instead = '[secret]'): string {
  let clean = text;
  for (const form of secrets.flatMap(secretForms)) clean = clean.replaceAll(form, instead);
  return clean;
}
