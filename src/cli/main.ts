#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=150
// A small nursery and an early collection: what a run keeps it keeps to its end, and more room only holds garbage (a third of the peak).

// As process 1 of a container Node ignores a signal that nobody handles; until a command does, a signal just ends us.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
] as const) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(128 + number);
  });
}

// Node is checked before anything else is loaded: the SQLite library ends an older Node without a word.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 18)) {
  process.stderr.write(
    `tdsync: Node ${process.versions.node} is too old; install Node 22.18 or newer (24 is recommended)\n`,
  );
  process.exit(1);
}
const { run } = await import('./program.ts');
// Everything is written by now, and nothing that still waits (a back-off, a kept connection) may hold the process.
process.exit(await run(process.argv.slice(2)));
