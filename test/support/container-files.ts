/** The container files as data, as far as tests look at them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod';
import { type LoadedConfiguration, loadConfiguration } from '../../src/config/load.ts';

export const root = join(import.meta.dirname, '../..');

export function readProjectFile(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export const compose = z
  .object({
    services: z.record(
      z.string(),
      z.object({
        build: z.string().optional(),
        image: z.string().optional(),
        command: z.array(z.string()).optional(),
        read_only: z.boolean().optional(),
        cap_drop: z.array(z.string()).optional(),
        security_opt: z.array(z.string()).optional(),
        network_mode: z.string().optional(),
        depends_on: z.record(z.string(), z.object({ condition: z.string() })).optional(),
        environment: z.record(z.string(), z.string()).optional(),
        tmpfs: z.array(z.string()).optional(),
        volumes: z.array(z.string()).optional(),
        healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      }),
    ),
    volumes: z.record(z.string(), z.unknown()),
  })
  .parse(parse(readProjectFile('docker-compose.yml'), { merge: true }));
type Service = (typeof compose.services)[string];

export const services = Object.entries(compose.services);
const configurationFile = join(root, 'config/container/tdsync.yaml');

export function service(name: string): Service {
  const found = compose.services[name];
  if (found === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return found;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Instructions of a Dockerfile: continued lines joined, comments left out. */
export function instructions(path: string): readonly Instruction[] {
  return readProjectFile(path)
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ({ name: line.slice(0, line.indexOf(' ')), text: line.slice(line.indexOf(' ') + 1).trim() }));
}

export const image = instructions('Dockerfile');
/** The last stage: what runs. */
export const runtime = image.slice(image.findLastIndex(({ name }) => name === 'FROM'));

/** The text of an instruction that must stand there once. */
export function only(from: readonly Instruction[], name: string): string {
  const found = from.filter((instruction) => instruction.name === name);
  if (found.length !== 1) throw new Error(`${name} stands there ${found.length} times`);
  return found[0]?.text ?? '';
}

/** What a container has in its environment: of the image, then of the service, with the defaults of unset variables. */
export function environmentOf(name: string): Readonly<Record<string, string>> {
  const ofImage = only(runtime, 'ENV')
    .split(/\s+/)
    .map((pair) => pair.split('=', 2));
  const ofService = Object.entries(service(name).environment ?? {}).map(([key, value]) => [
    key,
    value.replace(/\$\{\w+:-([^}]*)\}/g, '$1'),
  ]);
  return Object.fromEntries([...ofImage, ...ofService]) as Record<string, string>;
}

/** The daemon's configuration as it comes out in its container. */
export function configuration(): LoadedConfiguration['configuration'] {
  return loadConfiguration(configurationFile, environmentOf('daemon')).configuration;
}
