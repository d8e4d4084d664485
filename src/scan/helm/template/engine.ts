// The environment in which templates run: functions, named templates, and the callback for problems.
import type { Body } from './parser.ts';
import type { WorkBudget } from './work.ts';

/** A function for templates. With `engine`, `include` and `tpl` run other templates. */
export type TemplateFunction = (args: readonly unknown[], engine: Engine) => unknown;

export interface Engine {
  /** Runs a named template. For an undefined name, returns UNKNOWN and reports a problem. */
  include(name: string, dot: unknown): string;
  /** Runs text as a template. */
  run(source: string, dot: unknown): string;
  /** Reports something that could not be evaluated. */
  problem(text: string): void;
}

export interface RenderOptions {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly templates: ReadonlyMap<string, Body>;
  readonly parse: (source: string) => Body;
  readonly problem: (text: string, line: number) => void;
  /** Also runs branches that conditions switch off, to find what could be switched on. */
  readonly explores?: boolean;
  /** Budget that is shared with other templates. */
  readonly budget?: WorkBudget;
}
