/**
 * A world for end-to-end tests: a folder with `people.csv` and `tdsync.yaml`, a simulated Twilio in this process, and
 * `tdsync` as a process of its own. Everything goes away with the block that declares it:
 *
 *   await using world = await createWorld();
 *   await world.people([anna, ben]);
 *   const run = await world.tdsync('reconcile', '--json');
 *   run.code, run.stdout, run.stderr, run.json<RunDocument>(), world.twilio.requests.counts
 *
 * The client secret is recognisable, and every output is searched for it and for tokens: a leak fails the test that has it.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import type { RunReport } from '../../src/domain/run.ts';
import { defaultClient, defaultOrganizationSid } from '../../src/simulator/default-seed.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';

const project = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const main = join(project, 'src', 'cli', 'main.ts');
/** Halves the start of each process; Node checks its entries against the sources. */
export const compileCache = join(tmpdir(), 'tdsync-e2e-compile-cache');

export const plantedSecret = 'planted-secret-4f9a2c';
/** How every JWT begins: the simulator's tokens are JWTs. */
const tokenStart = 'eyJhbGci';

/** A row of people.csv; what is left out gets a value made from `id`. */
export interface Person {
  readonly id: string;
  readonly mail?: string;
  readonly given?: string;
  readonly family?: string;
  /** Default `employee`; contractors are out of scope. */
  readonly type?: string;
  /** Default `enabled`; `disabled` people may not sign in. */
  readonly status?: string;
  /** Default none. */
  readonly groups?: readonly string[];
}

/** Top-level sections of tdsync.yaml; each replaces the default as a whole, undefined removes it. */
export type Sections = Readonly<Record<string, unknown>>;

export interface Result {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Stdout as one JSON document; throws when it is anything else. */
  json<Document>(): Document;
  /** The lines of stderr that are logs. */
  logs(): readonly Readonly<Record<string, unknown>>[];
}

/** What `--json` prints for a run. */
export type RunDocument = Omit<RunReport, 'startedAt' | 'endedAt'> & {
  readonly version: 1;
  readonly startedAt: string;
  readonly endedAt: string;
};

/** What `--json` prints for an error. */
export interface ErrorDocument {
  readonly version: 1;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly hint?: string;
    readonly issues?: readonly { readonly path: string; readonly message: string; readonly line?: number }[];
  };
}

export interface StartOptions {
  /** Added to the environment; undefined removes a variable. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** User and group id of the process, when the tests run as root. */
  readonly uid?: number;
  /** `open`: `type` writes to it; otherwise it has ended. */
  readonly stdin?: 'open';
}

/** A process under way. */
export interface Running {
  readonly pid: number;
  /** Resolves when the process has ended and its output is complete. */
  readonly ended: Promise<Result>;
  /** Resolves with the first line of stdout or stderr, past ones included, that holds `text`; rejects when the process ends without. */
  line(text: string): Promise<string>;
  /** Writes to an open stdin, which then ends. */
  type(text: string): void;
  kill(signal: NodeJS.Signals): void;
}

export interface World extends AsyncDisposable {
  readonly folder: string;
  readonly twilio: Simulator;
  /** Absolute path of a file in the folder. */
  path(name: string): string;
  write(name: string, content: string | Buffer): Promise<string>;
  people(people: readonly Person[]): Promise<void>;
  configure(changes?: Sections): Promise<void>;
  /** `tdsync -c tdsync.yaml …`, to its end. */
  tdsync(...args: readonly string[]): Promise<Result>;
  start(args: readonly string[], options?: StartOptions): Running;
  /** SHA-256 of each file in the folder, by name. */
  files(): Promise<Readonly<Record<string, string>>>;
  /** Files of the folder that hold a secret or a token: none, ever. */
  leaks(): Promise<readonly string[]>;
}

export interface WorldOptions extends SimulatorOptions {
  /** As `configure` takes them. */
  readonly sections?: Sections;
  /** Of the paths that are spoken; default `current`. */
  readonly generation?: 'current' | 'preview';
}

/** `createWorld` writes tdsync.yaml; people.csv is the test's to write. */
export async function createWorld({ sections = {}, generation, ...options }: WorldOptions = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'tdsync-e2e-'));
  const seed = {
    ...options.seed,
    clients: options.seed?.clients ?? [{ ...defaultClient, clientSecret: plantedSecret }],
  };
  const twilio = await startSimulator({ ...options, seed });
  const running = new Set<ChildProcessWithoutNullStreams>();
  const path = (name: string) => join(folder, name);
  const write = async (name: string, content: string | Buffer) => {
    await writeFile(path(name), content);
    return path(name);
  };
  const start = (args: readonly string[], { environment = {}, uid, stdin }: StartOptions = {}) => {
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      NODE_COMPILE_CACHE: compileCache,
      TWILIO_CLIENT_SECRET: plantedSecret,
      ...environment,
    };
    const command = [main, '-c', path('tdsync.yaml'), ...args];
    const child = spawn(process.execPath, command, { cwd: folder, env, ...(uid !== undefined && { uid, gid: uid }) });
    if (stdin === undefined) child.stdin.end();
    running.add(child);
    child.once('close', () => running.delete(child));
    return follow(child, args);
  };
  const world: World = {
    folder,
    twilio,
    path,
    write,
    start,
    async people(people) {
      await write('people.csv', csvOf(people));
    },
    async configure(changes = {}) {
      await write(
        'tdsync.yaml',
        stringify({ ...defaultSections(twilio.url, generation), ...changes }, { lineWidth: 0 }),
      );
    },
    tdsync: (...args) => start(args).ended,
    async files() {
      const contents = await readAll(folder);
      return Object.fromEntries(contents.map(([name, content]) => [name, hash('sha256', content)]));
    },
    async leaks() {
      return (await readAll(folder)).filter(([, content]) => leaksIn(content.toString('latin1'))).map(([name]) => name);
    },
    async [Symbol.asyncDispose]() {
      const ends = [...running].map((child) => new Promise((resolve) => child.once('close', resolve)));
      for (const child of running) child.kill('SIGKILL');
      await Promise.all(ends);
      await twilio.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await world.configure(sections);
  return world;
}

/**
 * How to start a process that may not do everything: as nobody when the tests run as root. Undefined when that cannot be,
 * because nobody may not read the project.
 */
export function unprivileged(): StartOptions | undefined {
  if (process.getuid?.() !== 0) return {};
  const nobody = { uid: 65_534, gid: 65_534 };
  const { status } = spawnSync(process.execPath, [main, '--version'], nobody);
  return status === 0 ? { uid: nobody.uid } : undefined;
}

async function readAll(folder: string): Promise<readonly (readonly [name: string, content: Buffer])[]> {
  const files = (await readdir(folder, { withFileTypes: true })).filter((entry) => entry.isFile());
  return Promise.all(files.map(async ({ name }) => [name, await readFile(join(folder, name))] as const));
}

function defaultSections(url: string, generation: WorldOptions['generation']): Sections {
  return {
    twilio: {
      organizationSid: defaultOrganizationSid,
      oauth: { clientId: defaultClient.clientId, clientSecret: `\${env:TWILIO_CLIENT_SECRET}` },
      endpoints: { ...(generation && { generation }), iam: url, oauth: url, accounts: url },
      limits: { requestsPerSecond: 100, maxConcurrent: 2, timeout: '5s' },
    },
    source: { type: 'csv', users: 'people.csv', id: 'employeeId', groups: { column: 'groups', separator: ';' } },
    filter: 'entry.employeeType != "contractor"',
    attributes: {
      userName: 'mail',
      'name.givenName': 'givenName',
      'name.familyName': 'sn',
      displayName: '= entry.givenName + " " + entry.sn',
      active: '= entry.accountStatus != "disabled"',
    },
    roles: [{ group: 'developers', grants: [{ role: 'Developer', scope: 'Production' }] }],
    policy: { mode: 'sync', adoptExisting: true },
    snapshot: { path: 'tdsync.db' },
  };
}

function csvOf(people: readonly Person[]): string {
  const rows = people.map(({ id, mail, given, family, type, status, groups }) => [
    id,
    mail ?? `${id}@corp.example`,
    given ?? `Given-${id}`,
    family ?? `Family-${id}`,
    type ?? 'employee',
    status ?? 'enabled',
    (groups ?? []).join(';'),
  ]);
  const header = ['employeeId', 'mail', 'givenName', 'sn', 'employeeType', 'accountStatus', 'groups'];
  return [header, ...rows].map((fields) => `${fields.map(quoted).join(',')}\r\n`).join('');
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

function follow(child: ChildProcessWithoutNullStreams, args: readonly string[]): Running {
  const output = { stdout: '', stderr: '' };
  const waiters = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      for (const wake of waiters) wake();
    });
  }
  const ended = new Promise<Result>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (leaksIn(output.stdout + output.stderr))
        reject(new Error(`tdsync ${args.join(' ')} prints a secret or a token`));
      else resolve(resultOf(code, signal, output));
    });
  });
  // Whoever does not wait for the end is not told of a failure: the world kills what is left.
  ended.catch(() => {});
  const find = (text: string) => {
    const complete = `${output.stdout.replace(/[^\n]*$/, '')}${output.stderr.replace(/[^\n]*$/, '')}`;
    return complete.split('\n').find((line) => line.includes(text));
  };
  return {
    pid: child.pid ?? -1,
    ended,
    line: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const line = find(text);
          if (line === undefined) return;
          waiters.delete(look);
          resolve(line);
        };
        waiters.add(look);
        look();
        child.once('close', () =>
          reject(new Error(`tdsync ended without "${text}":\n${output.stdout}${output.stderr}`)),
        );
      }),
    type: (text) => void child.stdin.end(text),
    kill: (signal) => child.kill(signal),
  };
}

function resultOf(
  code: number | null,
  signal: NodeJS.Signals | null,
  { stdout, stderr }: { readonly stdout: string; readonly stderr: string },
): Result {
  return {
    code,
    signal,
    stdout,
    stderr,
    json<Document>() {
      return JSON.parse(stdout) as Document;
    },
    logs: () =>
      stderr
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>),
  };
}

function leaksIn(text: string): boolean {
  return text.includes(plantedSecret) || text.includes(tokenStart);
}
