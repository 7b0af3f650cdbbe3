/**
 * The parts of a CEL condition that must all hold, as written: split at each `&&` outside of quotes and brackets. A condition
 * with an `||` outside of brackets is one part, because `||` binds weaker.
 */
export function conjuncts(text: string): readonly string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (quote !== '') {
      if (character === '\\') at += 1;
      else if (character === quote) quote = '';
    } else if (character === '"' || character === "'") quote = character;
    else if ('([{'.includes(character)) depth += 1;
    else if (')]}'.includes(character)) depth -= 1;
    else if (depth === 0 && (text.startsWith('||', at) || character === '?')) return [text.trim()];
    else if (depth === 0 && text.startsWith('&&', at)) {
      parts.push(text.slice(start, at).trim());
      start = at + 2;
      at += 1;
    }
  }
  return [...parts, text.slice(start).trim()];
}
