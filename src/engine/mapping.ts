import type { AttributeValue, Entry } from '../domain/entry.ts';
import { normalizeEmail } from '../domain/identity.ts';
import type { AttributeMappings, ValueRule } from '../domain/rules.ts';
import { type TextAttribute, type TextAttributes, textAttributes } from '../domain/user.ts';
import { attributeOf, compileExpression, type Expression, ExpressionError } from './expression.ts';

/** Turns an entry's attributes into SCIM attributes. */
export interface Mapping {
  readonly expressions: readonly Expression[];
  /** Source attributes mapped by name. */
  readonly attributes: readonly string[];
  /** Source attributes that the address is made of; empty when it names none, or all of them. */
  readonly address: readonly string[];
  map(entry: Entry): Mapped;
}

export type Mapped =
  | { readonly attributes: TextAttributes & { readonly userName: string }; readonly active: boolean }
  /** Each a clause naming the SCIM attribute and what is wrong with the value. */
  | { readonly invalid: readonly string[] };

/** Twilio SCIM API reference: an address is held to the 160 characters of `emails.value`, all other texts to 255. */
const longest: Readonly<Record<TextAttribute, number>> = {
  userName: 160,
  'name.givenName': 255,
  'name.familyName': 255,
  displayName: 255,
  locale: 255,
  timezone: 255,
};

type Reader = (entry: Entry) => AttributeValue | boolean;

/** `report` receives the key and the reason of each rule that cannot be compiled. */
export function compileMapping(rules: AttributeMappings, report: (key: string, message: string) => void): Mapping {
  const expressions: Expression[] = [];
  const names: string[] = [];
  let address: readonly string[] = [];
  const compile = (key: TextAttribute | 'active', rule: ValueRule): Reader | undefined => {
    if ('attribute' in rule) {
      names.push(rule.attribute);
      if (key === 'userName') address = [rule.attribute];
      return (entry) => attributeOf(entry.attributes, rule.attribute);
    }
    try {
      const expression = compileExpression(rule.expression, key === 'active' ? 'bool or string' : 'string');
      expressions.push(expression);
      if (key === 'userName' && expression.attributes !== 'all') address = expression.attributes;
      return (entry) => asValue(expression.evaluate(entry.attributes, entry.groups));
    } catch (error) {
      if (!(error instanceof ExpressionError)) throw error;
      report(key, error.message);
      return undefined;
    }
  };

  const texts = textAttributes.flatMap((attribute) => {
    const rule = rules[attribute];
    const read = rule && compile(attribute, rule);
    return read ? [{ attribute, read, label: labelOf(rule) }] : [];
  });
  const activeRule = rules.active;
  const readActive = activeRule && compile('active', activeRule);

  return {
    expressions,
    attributes: names,
    address,
    map(entry) {
      const invalid: string[] = [];
      const attributes: Partial<Record<TextAttribute, string>> = {};
      for (const { attribute, read, label } of texts) {
        const value = attempt(invalid, attribute, label, () => toText(attribute, read(entry)));
        if (value !== undefined && value !== '') attributes[attribute] = value;
      }
      const active =
        entry.disabled !== true &&
        (readActive === undefined ||
          attempt(invalid, 'active', labelOf(activeRule), () => toBoolean(readActive(entry))));
      const { userName } = attributes;
      // Directories often clear the other values of somebody who left: what is wrong with them must not keep access alive.
      if (active === false) return { attributes: { ...attributes, userName: userName ?? '' }, active };
      if (userName === undefined && invalid.length === 0) {
        invalid.push('userName: the address is empty');
      }
      return invalid.length > 0 || userName === undefined
        ? { invalid }
        : { attributes: { ...attributes, userName }, active: active === true };
    },
  };
}

function labelOf(rule: ValueRule | undefined): string {
  return rule === undefined ? '' : 'attribute' in rule ? rule.attribute : `= ${rule.expression}`;
}

function attempt<T>(invalid: string[], attribute: string, label: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    invalid.push(`${attribute} (${label}): ${error.message}`);
    return undefined;
  }
}

function asValue(value: unknown): AttributeValue | boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (Array.isArray(value)) return value.map(String);
  throw new ExpressionError(`yields ${value === null ? 'null' : typeof value}, not text`);
}

function toText(attribute: TextAttribute, value: AttributeValue | boolean): string {
  const single = typeof value === 'object' ? soleValue(value) : String(value);
  const text = attribute === 'userName' ? normalizeEmail(single) : single.trim().normalize('NFC');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f\ufffd]/.test(text)) {
    throw new ExpressionError('holds control or undecodable characters');
  }
  if (text.length > longest[attribute]) {
    throw new ExpressionError(`has ${text.length} characters, Twilio takes at most ${longest[attribute]}`);
  }
  if (attribute === 'userName' && text !== '' && !/^[^\s@]+@[^\s@]+\.?[^\s@]*$/.test(text)) {
    throw new ExpressionError(`${JSON.stringify(text)} is not an e-mail address`);
  }
  return text;
}

/** Directories do not order values, so taking "the first" would give people another address from one read to the next. */
function soleValue(values: readonly string[]): string {
  if (values.length <= 1) return values[0] ?? '';
  const shown = values.slice(0, 3).map((value) => JSON.stringify(value));
  throw new ExpressionError(`holds ${values.length} values (${shown.join(', ')}); choose one with an expression`);
}

const yes = new Set(['true', 'yes', '1', 'active', 'enabled']);
const no = new Set(['false', 'no', '0', 'inactive', 'disabled']);

function toBoolean(value: AttributeValue | boolean): boolean {
  if (typeof value === 'boolean') return value;
  const text = (typeof value === 'object' ? soleValue(value) : value).trim().toLowerCase();
  if (yes.has(text)) return true;
  if (no.has(text)) return false;
  throw new ExpressionError(`${JSON.stringify(text)} is neither true nor false; decide with an expression`);
}
