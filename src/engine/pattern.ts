/**
 * Regular expressions whose time grows with the text and no faster (Thompson's construction): the data of a directory decides
 * what is matched, and must not be able to make a run stand still. All ways through the pattern are followed at once, one
 * character after the other, so that a text is never read twice.
 */
import { PatternError, type PatternNode, parsePattern } from './pattern-parser.ts';

type Step =
  | { readonly on: (code: number) => boolean; readonly next: number }
  | { readonly at: Extract<PatternNode, { kind: 'at' }>['place']; readonly next: number }
  /** To each of these without a character. */
  | { readonly to: readonly number[] }
  | 'found';

/** Each character costs at most so many steps. */
const mostSteps = 5_000;

export interface Pattern {
  /** Whether it occurs anywhere in the text. */
  test(text: string): boolean;
}

/** Throws PatternError. */
export function compilePattern(text: string): Pattern {
  const steps: Step[] = ['found'];

  function add(step: Step): number {
    if (steps.length >= mostSteps) throw new PatternError('is too large with its repetitions written out');
    return steps.push(step) - 1;
  }

  /** Builds from the end, so that each step knows what follows; returns where the node begins. */
  function build(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'one':
        return add({ on: characterTest(node.source, node.flags), next });
      case 'at':
        return add({ at: node.place, next });
      case 'all':
        return node.parts.reduceRight((after, part) => build(part, after), next);
      case 'any':
        return add({ to: node.parts.map((part) => build(part, next)) });
      case 'repeat':
        return repeat(node, next);
    }
  }

  function repeat({ part, least, most }: Extract<PatternNode, { kind: 'repeat' }>, next: number): number {
    let start = next;
    if (most === Number.POSITIVE_INFINITY) {
      const ways: number[] = [];
      start = add({ to: ways });
      ways.push(build(part, start), next);
    } else {
      for (let count = least; count < most; count++) start = add({ to: [build(part, start), next] });
    }
    for (let count = 0; count < least; count++) start = build(part, start);
    return start;
  }

  const start = build(parsePattern(text), 0);
  return { test: (subject) => search(steps, start, subject) };
}

function search(steps: readonly Step[], start: number, text: string): boolean {
  /** The position at which each step was reached last, so that none is followed twice at one. */
  const reached = new Int32Array(steps.length).fill(-1);
  let waiting: number[] = [];
  let before = -1;
  for (let index = 0; ; ) {
    const code = text.codePointAt(index) ?? -1;
    const here: number[] = [];
    const open = [start, ...waiting.reverse()];
    waiting = [];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (reached[at] === index) continue;
      reached[at] = index;
      const step = steps[at];
      if (step === 'found') return true;
      if (step === undefined) continue;
      if ('to' in step) open.push(...step.to);
      else if ('on' in step) here.push(at);
      else if (holds(step.at, before, code)) open.push(step.next);
    }
    if (code === -1) return false;
    for (const at of here) {
      const step = steps[at];
      if (typeof step === 'object' && 'on' in step && step.on(code)) waiting.push(step.next);
    }
    before = code;
    index += code > 0xffff ? 2 : 1;
  }
}

/** `-1` stands for both ends of the text. */
function holds(place: Extract<PatternNode, { kind: 'at' }>['place'], before: number, after: number): boolean {
  if (place === 'start') return before === -1;
  if (place === 'end') return after === -1;
  return isWord(before) !== isWord(after) ? place === 'boundary' : place === 'inside';
}

function isWord(code: number): boolean {
  return code >= 0 && /\w/.test(String.fromCodePoint(code));
}

/** Asks the RegExp once for each character of ASCII. */
function characterTest(source: string, flags: string): (code: number) => boolean {
  const single = new RegExp(`^(?:${source})$`, flags);
  const known = new Map<number, boolean>();
  return (code) => {
    const answer = known.get(code) ?? single.test(String.fromCodePoint(code));
    if (code < 128) known.set(code, answer);
    return answer;
  };
}
