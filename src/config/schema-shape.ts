import * as z from 'zod';
import type { Path } from './paths.ts';

type Schema = z.core.$ZodType;

/**
 * The schema of the value at `path`, without its default; undefined when the schema knows no such key.
 * `content` tells which member of a union is meant.
 */
export function schemaAt(schema: Schema, content: unknown, path: Path): Schema | undefined {
  let current: Schema | undefined = schema;
  let value = content;
  for (const part of path) {
    current = current && childSchema(unwrapped(current), value, part);
    value = (value as Record<string | number, unknown> | null | undefined)?.[part];
  }
  return current;
}

/** The keys that a section may have, in the schema's order. */
export function keysOf(schema: Schema, content: unknown): readonly string[] {
  const section = memberFor(unwrapped(schema), content);
  return section?._zod.def.type === 'object' ? Object.keys(section._zod.def.shape) : [];
}

/** What the schema says about itself; a default or an optional says what its own value does, unless it knows better. */
export function metaOf(schema: Schema): z.core.GlobalMeta {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const inner = 'innerType' in def ? metaOf(def.innerType) : {};
  return { ...inner, ...z.globalRegistry.get(schema) };
}

function childSchema(schema: z.core.$ZodTypes, value: unknown, part: string | number): Schema | undefined {
  const section = memberFor(schema, value);
  switch (section?._zod.def.type) {
    case 'object':
      return section._zod.def.shape[part];
    case 'array':
      return section._zod.def.element;
    default:
      return undefined;
  }
}

/** Of a union, the member that the value says it is: by its discriminator, else as a list or a section. Every other schema is its own only member. */
function memberFor(schema: z.core.$ZodTypes, value: unknown): z.core.$ZodTypes | undefined {
  if (schema._zod.def.type !== 'union') return schema;
  if (!('discriminator' in schema._zod.def)) {
    const type = Array.isArray(value) ? 'array' : typeof value;
    return schema._zod.def.options.map(unwrapped).find((option) => option._zod.def.type === type) ?? schema;
  }
  const key = String(schema._zod.def.discriminator);
  const wanted = (value as Record<string, unknown> | null | undefined)?.[key];
  return schema._zod.def.options
    .map(unwrapped)
    .find((option) => option._zod.propValues?.[key]?.has(wanted as z.core.util.Primitive) === true);
}

function unwrapped(schema: Schema): z.core.$ZodTypes {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return 'innerType' in def ? unwrapped(def.innerType) : (schema as z.core.$ZodTypes);
}
