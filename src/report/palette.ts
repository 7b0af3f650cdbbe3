export { printable } from '../domain/visible-text.ts';

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
