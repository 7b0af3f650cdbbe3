import type { Reporter, TestModule } from 'vitest/node';

/** One line at the end: how many cases of random input were tried. */
export class PropertyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    let properties = 0;
    let cases = 0;
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const tried = test.meta().propertyCases;
        if (tried === undefined) continue;
        properties++;
        cases += tried;
      }
    }
    if (properties > 0) process.stdout.write(` Properties  ${properties}, tried on ${cases} random cases\n`);
  }
}
