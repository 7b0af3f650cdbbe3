/**
 * The YAML file as a tree whose every node knows its line. YAML's own messages are not passed on where they would repeat
 * a piece of the file, since that piece can be a secret.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { ConfigError, type ConfigIssue } from '../errors.ts';
import { deepest, firstIssues, isAbsurdlyDeep, mostAliases, tooDeep } from './document-bounds.ts';
import { formatPath, type Path, splitPath } from './paths.ts';

export interface ConfigDocument {
  /** The content as plain data. */
  readonly content: unknown;
  /** 1-based line where the key or list item stands; undefined when the file does not have it. */
  line(path: Path): number | undefined;
  /** The same for a dotted path; keys that hold dots themselves (`attributes.name.givenName`) are found too. */
  locate(path: string): number | undefined;
}

/** Throws ConfigError with everything that keeps the text from being one YAML mapping. */
export function parseConfigDocument(text: string, file: string): ConfigDocument {
  if (isAbsurdlyDeep(text)) throw new ConfigError([{ path: '', message: tooDeep, file }]);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false });
  const lineAt = (offset: number) => lineCounter.linePos(offset).line;
  const issues: ConfigIssue[] = [...document.errors, ...document.warnings].map((error) => ({
    path: '',
    message: `is not valid YAML: ${describe(error.code, error.message)}`,
    file,
    line: lineAt(error.pos[0]),
  }));
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    issues.push({ path: '', message: 'is empty', file });
  } else if (!isMap(document.contents)) {
    issues.push({ path: '', message: 'must hold keys and values, such as `twilio:`', file, line: 1 });
  } else {
    let aliases = 0;
    let deep = false;
    const anchors = new Map<string, Node>();
    visit(document, {
      Node(_, node, path) {
        const offset = startOf(node) ?? 0;
        if (path.length > deepest) {
          deep = true;
          issues.push({ path: '', message: tooDeep, file, line: lineAt(offset) });
          return visit.BREAK;
        }
        if (!isAlias(node)) {
          if (node.anchor !== undefined) anchors.set(node.anchor, node);
          return undefined;
        }
        aliases += 1;
        if (aliases > mostAliases) {
          const message = `has more than ${mostAliases} aliases (\`*name\`)`;
          issues.push({ path: '', message, file, line: lineAt(offset) });
          return visit.BREAK;
        }
        // What stands before the alias counts. The library looks for it from the start of the file each time.
        const target = anchors.get(node.source);
        if (target === undefined || holds(target, offset)) {
          const problem =
            target === undefined ? 'a value that starts with * must stand in quotes' : 'an alias holds itself';
          issues.push({ path: '', message: `is not valid YAML: ${problem}`, file, line: lineAt(offset) });
        }
        return undefined;
      },
    });
    for (const { path, offset, first } of deep ? [] : duplicateKeys(document.contents, [])) {
      const message = `stands here a second time; first on line ${lineAt(first)}`;
      issues.push({ path: formatPath(path), message, file, line: lineAt(offset) });
    }
  }
  if (issues.length > 0) {
    throw new ConfigError(firstIssues(issues));
  }
  const offsetLine = (offset: number | undefined) => (offset === undefined ? undefined : lineAt(offset));
  return {
    content: contentOf(document, file),
    line: (path) => offsetLine(find(document, path)),
    locate: (path) => offsetLine(findDotted(document, document.contents, splitPath(path))),
  };
}

/** The line of the key, or of the section that lacks it; none for a section that the file lacks altogether. */
export function nearestLine(path: Path, document: Pick<ConfigDocument, 'line'>): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const line = document.line(path.slice(0, length));
    if (line !== undefined) return line;
  }
  return undefined;
}

function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (cause) {
    // The only thing left that can go wrong: aliases that multiply beyond measure.
    throw new ConfigError([{ path: '', message: 'has aliases (`*name`) that cannot be filled in', file }], { cause });
  }
}

/** What people write most often by mistake, in words; YAML's own words for the rest, without the piece of the file. */
function describe(code: string, message: string): string {
  if (message.includes('call stack')) return tooDeep;
  switch (code) {
    case 'BLOCK_AS_IMPLICIT_KEY':
    case 'BLOCK_IN_FLOW':
    case 'MULTILINE_IMPLICIT_KEY':
      return 'a value that holds ": " must stand in quotes (or, for a CEL expression, on the next line after `>-`), and a nested key must be indented further than its parent';
    case 'BAD_SCALAR_START':
      return 'a value that starts with @ or ` must stand in quotes';
    case 'TAG_RESOLVE_FAILED':
      return 'a value that starts with ! must stand in quotes';
    case 'BAD_ALIAS':
      return 'a value that starts with * or & must stand in quotes';
    case 'UNEXPECTED_TOKEN':
      return 'something stands after the end of a value; a value that starts with a quote or a bracket but does not end with it must stand in quotes of the other kind as a whole (or, for a CEL expression, on the next line after `>-`)';
    case 'TAB_AS_INDENT':
      return 'lines must be indented with spaces, not with tabs';
    case 'MULTIPLE_DOCS':
      return 'the file holds more than one document (`---`)';
    case 'BAD_DQ_ESCAPE':
      return 'a text in double quotes holds an unknown escape; write \\\\ for a backslash, or use single quotes';
    case 'BAD_DIRECTIVE':
      return 'a line that starts with % must stand in quotes';
    default:
      return message.replace(/: ".*$/s, '');
  }
}

interface Duplicate {
  readonly path: Path;
  readonly offset: number;
  readonly first: number;
}

function* duplicateKeys(node: unknown, path: Path): Generator<Duplicate> {
  if (isSeq(node)) {
    for (const [index, item] of node.items.entries()) {
      yield* duplicateKeys(item, [...path, index]);
    }
  }
  if (isMap(node)) {
    const seen = new Map<string, number>();
    for (const { key, value } of node.items) {
      const name = keyName(key);
      const offset = startOf(key) ?? 0;
      const first = seen.get(name);
      if (first === undefined) {
        seen.set(name, offset);
      } else {
        yield { path: [...path, name], offset, first };
      }
      yield* duplicateKeys(value, [...path, name]);
    }
  }
}

function find(document: Document, path: Path): number | undefined {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const part of path) {
    const child = childOf(resolved(document, node), part);
    if (child === undefined) {
      return undefined;
    }
    ({ node, offset } = child);
  }
  return offset;
}

/** Takes as many of the dotted parts for one key as make a key that exists. */
function findDotted(document: Document, start: unknown, parts: Path): number | undefined {
  if (parts.length === 0) {
    return startOf(start);
  }
  for (let taken = parts.length; taken > 0; taken--) {
    const [first] = parts;
    const child = childOf(
      resolved(document, start),
      taken === 1 && first !== undefined ? first : parts.slice(0, taken).join('.'),
    );
    if (child !== undefined) {
      const rest = parts.slice(taken);
      const offset = rest.length === 0 ? child.offset : findDotted(document, child.node, rest);
      if (offset !== undefined) {
        return offset;
      }
    }
  }
  return undefined;
}

function childOf(node: unknown, part: string | number): { node: unknown; offset: number | undefined } | undefined {
  if (isSeq(node) && typeof part === 'number') {
    const item = node.items[part];
    return part < node.items.length ? { node: item, offset: startOf(item) } : undefined;
  }
  if (isMap(node)) {
    const pair = pairOf(node, String(part));
    return pair && { node: pair.value, offset: startOf(pair.key) };
  }
  return undefined;
}

function pairOf(map: YAMLMap, name: string) {
  return map.items.find((pair) => keyName(pair.key) === name);
}

function keyName(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

function resolved(document: Document, node: unknown): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function holds(node: Node, offset: number): boolean {
  const [start, , end] = node.range ?? [0, 0, 0];
  return start <= offset && offset < end;
}

function startOf(node: unknown): number | undefined {
  return (node as Node | null)?.range?.[0];
}
