/** What this process takes, under the names that Prometheus's own client libraries give it. */
import { readdirSync } from 'node:fs';
import type { Metric } from '../domain/metric.ts';

export function processMetrics(): readonly Metric[] {
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return [
    single('process_cpu_seconds_total', 'counter', 'Processor time used.', (user + system) / 1e6),
    single('process_start_time_seconds', 'gauge', 'When the process began.', performance.timeOrigin / 1_000),
    single('process_resident_memory_bytes', 'gauge', 'Memory that the process holds.', rss),
    single('process_open_fds', 'gauge', 'Open file handles; Linux only.', openFiles()),
    single('nodejs_heap_size_used_bytes', 'gauge', "Memory in use on JavaScript's heap.", heapUsed),
    single('nodejs_heap_size_total_bytes', 'gauge', "Size of JavaScript's heap.", heapTotal),
    single('nodejs_external_memory_bytes', 'gauge', 'Memory of objects outside of the heap.', external),
  ];
}

/** Undefined where the system does not say. */
export function openFiles(): number | undefined {
  try {
    // The folder itself is open while it is read.
    return readdirSync('/proc/self/fd').length - 1;
  } catch {
    return undefined;
  }
}

function single(name: string, type: Metric['type'], help: string, value: number | undefined): Metric {
  return { name, type, help, labels: [], samples: value === undefined ? [] : [{ labels: [], value }] };
}
