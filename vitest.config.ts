import { defineConfig } from 'vitest/config';
import { MatrixReporter } from './test/support/matrix-reporter.ts';
import { PropertyReporter } from './test/support/property-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Most of a run is spent waiting for servers and processes, so that a core to spare would be one too many.
    maxWorkers: '100%',
    testTimeout: 90_000,
    hookTimeout: 120_000,
    reporters: ['default', new PropertyReporter(), new MatrixReporter()],
  },
});
