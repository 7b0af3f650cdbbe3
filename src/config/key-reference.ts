/** Renders `config/README.md` from the schema: every key with its type, default, meaning and an example. */
import type * as z from 'zod';
import { overrideVariables } from './environment.ts';
import { configurationJsonSchema } from './json-schema.ts';

type Schema = z.core.JSONSchema.JSONSchema;

/** The text of `config/README.md`. */
export function renderKeyReference(): string {
  const sections = Object.entries(configurationJsonSchema().properties ?? {});
  const parts = sections.flatMap(([key, schema]) => (typeof schema === 'object' ? renderSection(key, schema) : []));
  return `${[opening, ...parts, renderVariables()].join('\n\n')}\n`;
}

const opening = `<!-- Generated from the schema in src/config/schema.ts; \`UPDATE_GOLDEN=1 npm test -- config-generated\` writes it anew. -->

# Configuration keys

\`tdsync\` reads one YAML file: \`config/tdsync.yaml\`, or what \`--config FILE\` or the environment variable \`TDSYNC_CONFIG\` names.
[tdsync.yaml](tdsync.yaml) is a file to start from; [ldap.example.yaml](ldap.example.yaml) reads an LDAP directory.
\`tdsync config check\` says everything that is wrong with a file, with line numbers; no key is ignored silently.
The first line of both files names [tdsync.schema.json](tdsync.schema.json), by which editors complete and check keys as you type.

- **Secrets** stand elsewhere and are referred to: \`\${env:NAME}\` is an environment variable, \`\${file:/path}\` the content of a file, read anew each time. The reference is the whole value.
- **Durations** are a number and a unit: \`500ms\`, \`30s\`, \`15m\`, \`24h\`, \`90d\`.
- **Paths** resolve from the folder of the configuration file.
- **CEL expressions** see \`entry\`, the attributes of one person, and \`groups\`, the names of the person's groups. Where YAML stumbles over quotes or colons, write the expression on the next line after \`>-\`.`;

/** One heading per top-level key; a source has one per type. */
function renderSection(key: string, schema: Schema): string[] {
  if (schema.oneOf !== undefined) {
    const types = (schema.oneOf as Schema[]).map((member) => {
      const type = member.properties?.type;
      const name = typeof type === 'object' ? type.const : '';
      return `### ${key}, type ${name}\n\n${table(keyRows(key, member))}`;
    });
    return [`## ${key}\n\n${schema.description} \`type\` says of which kind it is. Required.`, ...types];
  }
  const rows = keyRows(key, schema);
  const own = rows.length === 0 ? [row(key, schema, false)] : rows;
  const text = rows.length === 0 ? '' : `${schema.description}\n\n`;
  return [`## ${key}\n\n${text}${table(own)}`];
}

/** Rows of everything below a key; list items are written \`key[]\`. */
function keyRows(prefix: string, schema: Schema): string[] {
  const items = schema.items as Schema | undefined;
  if (items?.properties !== undefined) {
    return keyRows(`${prefix}[]`, items);
  }
  // A value that can be a section among other things; a list of such values repeats its keys.
  const section = schema.anyOf?.find((member) => typeof member === 'object' && member.properties !== undefined);
  if (section !== undefined) return keyRows(prefix, section as Schema);
  return Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    if (typeof child !== 'object') return [];
    const path = `${prefix}.${name}`;
    return [row(path, child, schema.required?.includes(name) ?? false), ...keyRows(path, child)];
  });
}

function row(path: string, schema: Schema, required: boolean): string {
  const cells = [code(path), typeOf(schema), defaultOf(schema, required), schema.description ?? '', exampleOf(schema)];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function table(rows: readonly string[]): string {
  return ['| key | type | default | meaning | example |', '|---|---|---|---|---|', ...rows].join('\n');
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  const range = [schema.minimum, schema.maximum].filter((bound) => bound !== undefined).join('–');
  const name = schema.title ?? (schema.properties === undefined ? String(schema.type) : 'section');
  const atLeast = schema.maximum === undefined && range !== '' ? 'at least ' : '';
  return range === '' ? name : `${name}, ${atLeast}${range}`;
}

function defaultOf(schema: Schema, required: boolean): string {
  if (required) return '**required**';
  return schema.default === undefined ? '' : code(schema.default);
}

function exampleOf(schema: Schema): string {
  const [example] = schema.examples ?? [];
  return example === undefined ? '' : code(example);
}

/** As it would stand in the file. */
function code(value: unknown): string {
  return `\`${typeof value === 'string' ? value : flow(value)}\``;
}

function flow(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.map((item) => (typeof item === 'string' ? item : flow(item))).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${flow(field)}`);
  return `{ ${fields.join(', ')} }`;
}

function renderVariables(): string {
  const rows = overrideVariables.map(({ name, key, source }) => {
    const only = source === undefined ? '' : ` (source of type ${source})`;
    return `| \`${name}\` | \`${key}\`${only} |`;
  });
  return `## Environment variables

They take the place of what the file says, so that one file serves every stage. A variable that is set to nothing counts as
not set; one that begins with \`TDSYNC_\` and stands neither here nor in a secret's reference is an error. Paths resolve from
the working directory. \`TDSYNC_CONFIG\` names the file itself.

| variable | key |
|---|---|
${rows.join('\n')}`;
}
