// What templates are run with: functions, named templates, and what is said of what cannot be worked out.
import type { Body } from './parser.ts';
import type { WorkBudget } from './work.ts';

/** A function of templates; `engine` lets `include` and `tpl` run others. */
export type TemplateFunction = (args: readonly unknown[], engine: Engine) => unknown;

export interface Engine {
  /** Runs a named template. A name that nobody defines gives UNKNOWN and a problem. */
  include(name: string, dot: unknown): string;
  /** Runs text as a template. */
  run(source: string, dot: unknown): string;
  /** Says once what could not be worked out. */
  problem(text: string): void;
}

export interface RenderOptions {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  readonly templates: ReadonlyMap<string, Body>;
  readonly parse: (source: string) => Body;
  readonly problem: (text: string, line: number) => void;
  /** Also runs what conditions switch off, to see what could be switched on. */
  readonly explores?: boolean;
  /** Shared with other templates. */
  readonly budget?: WorkBudget;
}
