// A vitest reporter: lists skipped tests with the reasons in their titles, and prints one summary line. A skipped test is never counted as passed.
import type { Reporter } from 'vitest/node';

export function summary(): Reporter {
  return {
    onTestRunEnd(modules) {
      const tests = modules.flatMap((module) => [...module.children.allTests()]);
      const inState = (state: string) => tests.filter((test) => test.result().state === state);
      const skipped = inState('skipped');
      const broken = modules.filter((module) => module.errors().length > 0).length;
      const lines = skipped.map((test) => `  ${test.module.relativeModuleId}: ${test.fullName} [${test.project.name}]`);
      if (lines.length > 0) console.log(`\nSkipped:\n${lines.sort().join('\n')}`);
      const failed = inState('failed').length;
      const files = broken > 0 ? `, ${broken} files failed to load` : '';
      console.log(
        `\nTests: ${inState('passed').length} passed, ${skipped.length} skipped, ${failed} failed${files}; ${modules.length} files.`,
      );
    },
  };
}
