/**
 * Reads a regular expression as CEL has them (RE2 syntax, github.com/google/re2/wiki/Syntax) into a tree. What RE2 leaves out,
 * because it cannot be matched in time proportional to the text, is refused: look-around and back-references.
 */

export type PatternNode =
  /** One character; the source is a RegExp for it alone. */
  | { readonly kind: 'one'; readonly source: string; readonly flags: string }
  | { readonly kind: 'at'; readonly place: 'start' | 'end' | 'boundary' | 'inside' }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly part: PatternNode; readonly least: number; readonly most: number };

/** What is wrong with the pattern, as a clause. */
export class PatternError extends Error {}

const deepest = 50;
const mostRepeats = 1_000;
const places = { '^': 'start', $: 'end', '\\A': 'start', '\\z': 'end', '\\b': 'boundary', '\\B': 'inside' } as const;

/** Throws PatternError. */
export function parsePattern(text: string): PatternNode {
  let rest = text;
  let depth = 0;

  function take(pattern: RegExp): RegExpExecArray | undefined {
    const found = pattern.exec(rest);
    if (found === null) return undefined;
    rest = rest.slice(found[0].length);
    return found;
  }

  function alternatives(flags: string): PatternNode {
    depth += 1;
    if (depth > deepest) throw new PatternError('groups are nested too deeply');
    const state = { flags };
    const parts = [sequence(state)];
    while (take(/^\|/)) parts.push(sequence(state));
    depth -= 1;
    const [only] = parts;
    return only !== undefined && parts.length === 1 ? only : { kind: 'any', parts };
  }

  /** Flags that are set within a group hold to its end. */
  function sequence(state: { flags: string }): PatternNode {
    const parts: PatternNode[] = [];
    while (rest !== '' && !/^[|)]/.test(rest)) {
      const flags = take(/^\(\?([is]+)\)/);
      if (flags) state.flags = [...new Set(`${state.flags}${flags[1]}`)].join('');
      else parts.push(repeated(atom(state.flags)));
    }
    return { kind: 'all', parts };
  }

  function repeated(part: PatternNode): PatternNode {
    const found = take(/^(?:([*+?])|\{(\d{1,5})(,(\d{1,5})?)?\})\??/);
    if (found === undefined) return part;
    if (/^(?:[*+?]|\{\d+(?:,\d*)?\})/.test(rest)) throw new PatternError('a repetition is repeated without a group');
    const [, sign, from, comma, to] = found;
    const least = sign === undefined ? Number(from) : sign === '+' ? 1 : 0;
    const open = sign === undefined ? comma !== undefined && to === undefined : sign !== '?';
    const most = open ? Number.POSITIVE_INFINITY : sign === '?' ? 1 : Number(to ?? from);
    if (most < least) throw new PatternError(`{${least},${most}} is the wrong way round`);
    if (least > mostRepeats || (most > mostRepeats && most !== Number.POSITIVE_INFINITY)) {
      throw new PatternError(`more than ${mostRepeats} repetitions`);
    }
    return { kind: 'repeat', part, least, most };
  }

  function atom(flags: string): PatternNode {
    const place = take(/^(?:[$^]|\\[AzbB])/)?.[0];
    if (place !== undefined) return { kind: 'at', place: places[place as keyof typeof places] };
    if (/^\(\?(?:<?[=!])/.test(rest)) throw new PatternError('look-around is not possible');
    const group = take(/^\((?:\?(?:([is]*):|P?<\w+>))?/);
    if (group) {
      if (rest.startsWith('?')) throw new PatternError(`"(${rest.slice(0, 3)}" is not known`);
      const inner = alternatives([...new Set(`${flags}${group[1] ?? ''}`)].join(''));
      if (!take(/^\)/)) throw new PatternError('a closing parenthesis is missing');
      return inner;
    }
    if (/^[*+?]/.test(rest)) throw new PatternError('nothing stands before a repetition');
    if (/^\\[1-9k]/.test(rest)) throw new PatternError('back-references are not possible');
    const source =
      take(/^\[\^?\]?(?:\\[\s\S]|[^\]\\])*\]/)?.[0] ??
      take(/^\\[pP]\{[^}]*\}|^\\x\{[^}]*\}|^\\(?:x..|u....|[\s\S])/u)?.[0];
    if (source !== undefined) return one(source, flags);
    const character = take(/^[^[\\]/u)?.[0];
    if (character === undefined)
      throw new PatternError(`a ${rest.startsWith('[') ? 'closing bracket' : 'character after \\'} is missing`);
    return one(character === '.' ? '.' : literal(character), flags);
  }

  const tree = alternatives('');
  if (rest !== '') throw new PatternError('there is a closing parenthesis too many');
  return tree;
}

function one(source: string, flags: string): PatternNode {
  if (/\[:\^?\w+:\]/.test(source)) throw new PatternError('classes such as [:alpha:] are not known; write \\p{L}');
  const plain = source
    .replace(/\\x\{([0-9a-f]+)\}/gi, '\\u{$1}')
    // RE2 lets every sign be escaped, JavaScript only those that mean something.
    .replace(/\\([^\w\s])/gu, (sequence, sign: string) =>
      /[\^$\\.*+?()[\]{}|/-]/.test(sign) ? sequence : literal(sign),
    );
  try {
    new RegExp(plain, 'u');
  } catch {
    throw new PatternError(`${source} is not understood`);
  }
  return { kind: 'one', source: plain, flags: `u${flags}` };
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
