/**
 * Most conditions and texts of a configuration are made of a few parts whose meaning leaves no room: comparing, joining and
 * choosing texts. These are turned into functions, because they are asked for each entry of a directory and CEL's own
 * evaluation takes ten times as long. Whatever is not in the table is left to CEL, and so is an entry with several values.
 *
 * | part                                   | yields |
 * |----------------------------------------|--------|
 * | `"text"`, `entry.name`, `entry["name"]` | text   |
 * | text `+` text                          | text   |
 * | `true`, `false`, `"name" in groups`    | bool   |
 * | text `==` text, text `!=` text         | bool   |
 * | `!` bool, bool `&&` bool, bool `\|\|` bool | bool   |
 * | bool `?` one `:` another of its kind   | either |
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import type { AttributeValue } from '../domain/entry.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;
type Read<Value> = (attributes: Attributes, groups: readonly string[]) => Value;
type Plain = { readonly text: Read<string> } | { readonly truth: Read<boolean> };

/** Thrown, once made, when an attribute is no single text: the expression then is CEL's. */
const severalValues = new Error('an attribute has several values');

/**
 * Undefined when the expression has a part that is not in the table. The function returns undefined when an attribute has
 * several values, and never throws.
 */
export function compilePlain(
  node: ASTNode,
  readAttribute: (attributes: Attributes, name: string) => AttributeValue,
): Read<string | boolean | undefined> | undefined {
  const plain = compile(node);
  if (plain === undefined) return undefined;
  const read: Read<string | boolean> = 'text' in plain ? plain.text : plain.truth;
  return (attributes, groups) => {
    try {
      return read(attributes, groups);
    } catch (error) {
      if (error === severalValues) return undefined;
      throw error;
    }
  };

  function compile(part: ASTNode): Plain | undefined {
    switch (part.op) {
      case 'value': {
        const value: unknown = part.args;
        if (typeof value === 'string') return { text: () => value };
        return typeof value === 'boolean' ? { truth: () => value } : undefined;
      }
      case '.':
        return isVariable(part.args[0], 'entry') ? attribute(part.args[1]) : undefined;
      case '[]': {
        const name: unknown = part.args[1].op === 'value' ? part.args[1].args : undefined;
        return isVariable(part.args[0], 'entry') && typeof name === 'string' ? attribute(name) : undefined;
      }
      case 'in': {
        const name: unknown = part.args[0].op === 'value' ? part.args[0].args : undefined;
        if (!isVariable(part.args[1], 'groups') || typeof name !== 'string') return undefined;
        return { truth: (_attributes, groups) => groups.includes(name) };
      }
      case '+':
      case '==':
      case '!=':
        return ofTexts(part.op, compile(part.args[0]), compile(part.args[1]));
      case '&&':
      case '||':
        return ofTruths(part.op, compile(part.args[0]), compile(part.args[1]));
      case '!_': {
        const operand = compile(part.args);
        return operand && 'truth' in operand ? { truth: (a, g) => !operand.truth(a, g) } : undefined;
      }
      case '?:':
        return choice(compile(part.args[0]), compile(part.args[1]), compile(part.args[2]));
      default:
        return undefined;
    }
  }

  function attribute(name: string): Plain {
    return {
      text(attributes) {
        const value = readAttribute(attributes, name);
        if (typeof value === 'string') return value;
        throw severalValues;
      },
    };
  }
}

function ofTexts(op: '+' | '==' | '!=', left: Plain | undefined, right: Plain | undefined): Plain | undefined {
  if (left === undefined || right === undefined || !('text' in left && 'text' in right)) return undefined;
  const [a, b] = [left.text, right.text];
  if (op === '+') return { text: (attributes, groups) => a(attributes, groups) + b(attributes, groups) };
  if (op === '==') return { truth: (attributes, groups) => a(attributes, groups) === b(attributes, groups) };
  return { truth: (attributes, groups) => a(attributes, groups) !== b(attributes, groups) };
}

function ofTruths(op: '&&' | '||', left: Plain | undefined, right: Plain | undefined): Plain | undefined {
  if (left === undefined || right === undefined || !('truth' in left && 'truth' in right)) return undefined;
  const [a, b] = [left.truth, right.truth];
  if (op === '&&') return { truth: (attributes, groups) => a(attributes, groups) && b(attributes, groups) };
  return { truth: (attributes, groups) => a(attributes, groups) || b(attributes, groups) };
}

function choice(test: Plain | undefined, one: Plain | undefined, other: Plain | undefined): Plain | undefined {
  if (test === undefined || one === undefined || other === undefined || !('truth' in test)) return undefined;
  const { truth } = test;
  if ('text' in one && 'text' in other) return { text: (a, g) => (truth(a, g) ? one.text(a, g) : other.text(a, g)) };
  if ('truth' in one && 'truth' in other)
    return { truth: (a, g) => (truth(a, g) ? one.truth(a, g) : other.truth(a, g)) };
  return undefined;
}

function isVariable(node: ASTNode, name: string): boolean {
  return node.op === 'id' && node.args === name;
}
