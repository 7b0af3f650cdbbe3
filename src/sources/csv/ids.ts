/** Ids are text: leading zeros, blanks within and separators belong to them, unless configuration says otherwise. */
export type IdOf = (value: string) => string;

/**
 * Takes the thousands separator out of ids that are whole numbers grouped by it: `1,234` becomes `1234`. Every other id,
 * such as `12,34` or `A,123`, stays as it is. Without a separator all do.
 */
export function createIdOf(thousandsSeparator: string | undefined): IdOf {
  if (thousandsSeparator === undefined) return (value) => value;
  const escaped = thousandsSeparator.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const grouped = new RegExp(`^\\d{1,3}(?:${escaped}\\d{3})+$`, 'u');
  return (value) => (grouped.test(value) ? value.replaceAll(thousandsSeparator, '') : value);
}
