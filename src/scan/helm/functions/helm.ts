// Functions that Helm itself adds: `include`, `tpl`, `required`, `fail`, and `lookup` without a cluster.
import { dictionary, isTrue, print, UNKNOWN } from '../template/values.ts';
import type { FunctionTable } from './function-table.ts';

export const helmFunctions: FunctionTable = {
  include: ([name, dot], engine) => engine.include(print(name), dot),
  tpl: ([text, dot], engine) => (print(text).includes('{{') ? engine.run(print(text), dot) : print(text)),
  required: ([message, value], engine) => {
    if (isTrue(value) || value === false || value === 0) return value;
    engine.problem(`a value is required: ${print(message)}`);
    return UNKNOWN;
  },
  fail: ([message], engine) => {
    engine.problem(`the chart refuses its default values: ${print(message)}`);
    return '';
  },
  /** Like `helm template` without a cluster. */
  lookup: () => dictionary(),
};
