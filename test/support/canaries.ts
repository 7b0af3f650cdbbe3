/** Secrets that are planted where secrets stand, and found again in whatever form they come out. */
import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { secretForms } from '../../src/domain/secret.ts';

/** As many characters of a secret, wherever they are from, are a part of it and no accident. */
const part = 10;

export interface Canaries {
  /** A secret of its own for each name, the same at each call. */
  of(name: string): string;
  /** A secret that somebody else made up, such as a token. */
  add(name: string, value: string): void;
  /** Names of those that are in the text: as they are, encoded, or in part. */
  in(text: string): readonly string[];
  /** `file: name` for each that is in a file below the folder, but for the files that it was put into. */
  inFiles(folder: string, but: readonly string[]): readonly string[];
}

export function createCanaries(): Canaries {
  const known = new Map<string, string>();
  const forms = new Map<string, readonly string[]>();
  const add = (name: string, value: string) => {
    known.set(name, value);
    const pieces = Array.from({ length: Math.max(1, value.length - part + 1) }, (_, at) => value.slice(at, at + part));
    forms.set(name, [...pieces, ...secretForms(value)]);
  };
  const find = (text: string) =>
    [...forms].filter(([, each]) => each.some((form) => text.includes(form))).map(([name]) => name);
  return {
    of(name) {
      const value = known.get(name) ?? `Cnry+${hash('sha256', name).slice(0, 20)}/=`;
      if (!known.has(name)) add(name, value);
      return value;
    },
    add,
    in: find,
    inFiles: (folder, but) =>
      readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && !but.includes(entry.name))
        .flatMap(({ name, parentPath }) =>
          find(readFileSync(join(parentPath, name)).toString('latin1')).map((canary) => `${name}: ${canary}`),
        ),
  };
}
