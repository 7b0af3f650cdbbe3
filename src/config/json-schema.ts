/** Apart from the loader, which does not need it: the JSON Schema by which editors complete and check the file. */
import * as z from 'zod';
import { configurationSchema } from './schema.ts';

/** JSON Schema, draft 2020-12, of the file as people write it. */
export function configurationJsonSchema(): z.core.JSONSchema.JSONSchema {
  return z.toJSONSchema(configurationSchema, {
    io: 'input',
    override({ jsonSchema }) {
      // Limits of JavaScript, and sections that are filled in key by key, tell nobody anything.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (JSON.stringify(jsonSchema.default) === '{}') delete jsonSchema.default;
    },
  });
}

/** The text of `config/tdsync.schema.json`. */
export function renderJsonSchema(): string {
  return `${JSON.stringify(configurationJsonSchema(), null, 2)}\n`;
}
