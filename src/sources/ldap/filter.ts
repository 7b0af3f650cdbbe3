import { type Filter, FilterParser, Filter as LdaptsFilter } from 'ldapts';

/**
 * Parses an RFC 4515 filter. Throws an Error saying what is wrong with the text.
 *
 * Three things are made right before the library parses it: white space between parts (filters written over several lines), hex
 * escapes of UTF-8 (`J\c3\bcrgen`), which the library would encode a second time, so that the filter matches nobody, and a
 * parenthesis that is missing at the end, which it would overlook.
 */
export function parseFilter(text: string): Filter {
  const compact = withoutOuterSpace(text);
  checkParentheses(compact);
  return FilterParser.parseString(decodeHexRuns(compact));
}

/** A value for use inside a filter (RFC 4515 section 3). */
export function escapeFilterValue(value: string): string {
  return LdaptsFilter.escape(value);
}

/** An unescaped parenthesis is always structure, so white space next to one on the outside belongs to no value. */
function withoutOuterSpace(text: string): string {
  const compact = text
    .trim()
    .replace(/\)\s+(?=[()])/g, ')')
    .replace(/\(\s*([&|!])\s*\(/g, '($1(')
    .replace(/\(\s+/g, '(');
  return compact.startsWith('(') ? compact : `(${compact})`;
}

/** Values never hold unescaped parentheses, so they can be counted. */
function checkParentheses(text: string): void {
  let open = 0;
  for (const character of text) {
    if (character === '(') open += 1;
    if (character === ')') open -= 1;
    if (open < 0) throw new Error('there is a closing parenthesis too many');
  }
  if (open > 0) throw new Error('a closing parenthesis is missing');
}

function decodeHexRuns(text: string): string {
  return text.replace(/(?:\\[0-9a-f]{2})+/gi, (run) => {
    const bytes = Buffer.from(run.replaceAll('\\', ''), 'hex');
    if (bytes.every((byte) => byte < 0x80)) return run;
    try {
      return escapeFilterValue(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
    } catch {
      throw new Error(`the escaped bytes ${run} are not UTF-8 text; filters on binary values are not supported`);
    }
  });
}
