/** How a renderer marks text; colours are chosen at the rim, where the terminal is known. */
export interface Palette {
  readonly added: (text: string) => string;
  readonly changed: (text: string) => string;
  readonly removed: (text: string) => string;
  readonly strong: (text: string) => string;
  readonly faint: (text: string) => string;
}

function same(text: string): string {
  return text;
}

export const plain: Palette = { added: same, changed: same, removed: same, strong: same, faint: same };

/** Control characters, terminal escapes, line separators and marks that turn the direction of text never reach a terminal. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}
