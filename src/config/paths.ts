/** Where a value stands in the configuration: keys, and indexes in lists. */
export type Path = readonly (string | number)[];

/** `roles[0].grants[1].role` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The reverse of `formatPath`, except that a key with dots in it comes apart. */
export function splitPath(text: string): Path {
  return text
    .split(/\.|(?=\[\d+\])/)
    .filter((part) => part !== '')
    .map((part) => {
      const index = /^\[(\d+)\]$/.exec(part)?.[1];
      return index === undefined ? part : Number(index);
    });
}

/** The value at the path; undefined when there is none. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[part] : undefined,
    root,
  );
}
