/**
 * Properties with random input. The ordinary run tries each a few hundred or thousand times; `PROPERTY_FACTOR=20` tries
 * everything twenty times as often (`npm run test:properties`). A failure prints its seed and the smallest example.
 */
import fc from 'fast-check';
import { onTestFinished } from 'vitest';

declare module 'vitest' {
  interface TaskMeta {
    /** Cases of random input that a property was tried on. */
    propertyCases?: number;
  }
}

const factor = Number(process.env.PROPERTY_FACTOR ?? 1);
if (!(factor > 0)) throw new Error('PROPERTY_FACTOR is a number above zero');

/** Tries the property on so many cases, times the factor, and counts them for the report. */
export function holds<Input>(property: fc.IPropertyWithHooks<Input>, cases = 100): void {
  fc.assert(property, counting<Input>(cases));
}

/** As `holds`, for a property that has to be waited for. */
export function holdsAsync<Input>(property: fc.IAsyncPropertyWithHooks<Input>, cases = 100): Promise<void> {
  return fc.assert(property, counting<Input>(cases));
}

function counting<Input>(cases: number): fc.Parameters<Input> {
  let tried = 0;
  onTestFinished(({ task }) => {
    task.meta.propertyCases = (task.meta.propertyCases ?? 0) + tried;
  });
  return {
    numRuns: Math.max(1, Math.round(cases * factor)),
    reporter(details) {
      tried += details.numRuns;
      if (details.failed) throw new Error(fc.defaultReportMessage(details), { cause: details.errorInstance });
    },
  };
}
