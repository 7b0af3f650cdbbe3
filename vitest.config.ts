import { defineConfig } from 'vitest/config';
import { PropertyReporter } from './test/support/property-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 90_000,
    hookTimeout: 120_000,
    reporters: ['default', new PropertyReporter()],
  },
});
