import { createHash } from 'node:crypto';

/** JSON with sorted keys and without undefined members: the same text for the same data (in the spirit of RFC 8785). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    const record = member as Record<string, unknown>;
    return Object.fromEntries(
      Object.keys(record)
        .sort()
        .map((key) => [key, record[key]]),
    );
  });
}

/** SHA-256, hex, of the canonical JSON. */
export function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

const batch = 65_536;

/** SHA-256, hex, of many parts in the order given, each ended by a line feed, without holding them at once. */
export function digestAll(parts: Iterable<string>): string {
  const hash = createHash('sha256');
  let pending = '';
  for (const part of parts) {
    pending += `${part}\n`;
    if (pending.length < batch) continue;
    hash.update(pending);
    pending = '';
  }
  return hash.update(pending).digest('hex');
}
