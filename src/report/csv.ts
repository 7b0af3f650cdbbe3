/**
 * One row of CSV (RFC 4180) for people who open it in a spreadsheet. A spreadsheet takes a cell that begins with one of
 * these characters for a formula, and a name in a directory can begin with any: such a cell gets an apostrophe in front.
 */
const formula = /^[=+\-@\t\r\n]/;

export function csvRow(cells: readonly (string | number | undefined | null)[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`;
}

function csvCell(value: string | number | undefined | null): string {
  const text = String(value ?? '');
  const safe = formula.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
