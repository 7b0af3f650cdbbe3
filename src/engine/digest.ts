import { createHash } from 'node:crypto';
import { canonicalJson } from '../domain/canonical-json.ts';

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
