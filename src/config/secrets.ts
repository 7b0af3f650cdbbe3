import { resolve } from 'node:path';
import type { Secret } from '../domain/secret.ts';
import { ConfigError } from '../errors.ts';
import { readBounded } from './bounded-file.ts';

/** A reference is the whole value: nothing before it, nothing after it. */
export const secretPattern = /^\$\{(?:env:[A-Za-z_][A-Za-z0-9_]*|file:[^}\s][^}]*)\}$/;

export function isSecretReference(value: string): boolean {
  return secretPattern.test(value);
}

/** The environment, looked at anew for each read. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface SecretPlace {
  /** Dotted path of the key, for messages. */
  readonly path: string;
  /** The configuration file's folder, from which relative paths resolve. */
  readonly folder: string;
  readonly environment: Environment;
  /** Told of each value that is read, so that no output repeats it. */
  readonly onRead: (value: string) => void;
}

/** The secret that `${env:NAME}` or `${file:/path}` refers to. Nothing is read yet. */
export function referredSecret(reference: string, place: SecretPlace): Secret {
  const target = reference.slice(reference.indexOf(':') + 1, -1);
  return reference.startsWith(`\${env:`)
    ? new EnvironmentSecret(reference, target, place)
    : new FileSecret(reference, resolve(place.folder, target), place);
}

/** A value that may stand in the configuration, such as a client id, where a reference may stand as well. */
export function plainValue(value: string): Secret {
  return { reference: value, read: () => value };
}

class EnvironmentSecret implements Secret {
  readonly reference: string;
  readonly #name: string;
  readonly #place: SecretPlace;

  constructor(reference: string, name: string, place: SecretPlace) {
    this.reference = reference;
    this.#name = name;
    this.#place = place;
  }

  read(): string {
    const value = this.#place.environment[this.#name];
    if (value === undefined || value === '') {
      const state = value === undefined ? 'is not set' : 'is empty';
      throw new ConfigError(
        [{ path: this.#place.path, message: `${this.reference}: the environment variable ${this.#name} ${state}` }],
        { hint: `Set ${this.#name} for this process, or refer to a file: \${file:/path}.` },
      );
    }
    this.#place.onRead(value);
    return value;
  }

  toJSON(): string {
    return this.reference;
  }
}

/** Keys and certificates are smaller, passwords and tokens much. */
const largest = 64 * 1024;

class FileSecret implements Secret {
  readonly reference: string;
  readonly file: string;
  readonly #place: SecretPlace;

  constructor(reference: string, file: string, place: SecretPlace) {
    this.reference = reference;
    this.file = file;
    this.#place = place;
  }

  read(): string {
    const value = this.#content()
      // An editor's mark is no part of the secret, nor is the line break that ends the file.
      .replace(/^\uFEFF/, '')
      .replace(/[\r\n]+$/, '');
    if (value === '') {
      throw this.#error('the file is empty', `Write the secret to ${this.file}, as its only line.`);
    }
    this.#place.onRead(value);
    return value;
  }

  #content(): string {
    try {
      return readBounded(this.file, largest).toString('utf8');
    } catch (cause) {
      const code = (cause as NodeJS.ErrnoException).code;
      throw this.#error(
        readFailures[code ?? ''] ?? `the file cannot be read (${code})`,
        `Check that ${this.file} is a file that the user who runs tdsync may read.`,
        cause,
      );
    }
  }

  #error(reason: string, hint: string, cause?: unknown): ConfigError {
    return new ConfigError([{ path: this.#place.path, message: `${this.reference}: ${reason}` }], { hint, cause });
  }

  toJSON(): string {
    return this.reference;
  }
}

const readFailures: Readonly<Record<string, string>> = {
  ENOENT: 'the file does not exist',
  ENOTDIR: 'the file does not exist',
  EACCES: 'the file may not be read by this user',
  EISDIR: 'this is a folder, not a file',
  TOO_LARGE: 'the file is larger than 64 KiB, so it is no secret',
};
