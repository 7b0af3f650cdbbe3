/** What is shipped: few files instead of the thousand that a start would have to find, read and compile. See docs/adr/0020. */
// biome-ignore lint/style/noDefaultExport: the tool asks for one
export default {
  input: 'src/cli/main.ts',
  platform: 'node',
  // Finds its library for SQLite beside its own files.
  external: ['better-sqlite3'],
  transform: { target: 'node22.18' },
  // Bottleneck hides its optional Redis clients, which are not used, from bundlers.
  checks: { eval: false },
  output: { dir: 'dist/cli', format: 'esm' },
};
