// Dot and variables while a template runs: one scope for each block, as in text/template.
import { TemplateError } from './errors.ts';
import type { Output } from './output.ts';
import type { Pipe } from './parser.ts';

export interface Frame {
  readonly dot: unknown;
  readonly scope: Scope;
  readonly output: Output;
}

export class Scope {
  readonly #parent: Scope | undefined;
  readonly #variables = new Map<string, unknown>();

  constructor(parent: Scope | undefined, root?: unknown) {
    this.#parent = parent;
    if (!parent) this.#variables.set('$', root);
  }

  declare(name: string, value: unknown): void {
    this.#variables.set(name, value);
  }

  assign(name: string, value: unknown): void {
    if (this.#variables.has(name)) this.#variables.set(name, value);
    else if (this.#parent) this.#parent.assign(name, value);
    else throw new TemplateError(`undefined variable [${name}]`);
  }

  get(name: string): unknown {
    if (this.#variables.has(name)) return this.#variables.get(name);
    if (this.#parent) return this.#parent.get(name);
    throw new TemplateError(`undefined variable [${name}]`);
  }
}

/** Declares or assigns a variable, as the pipe says. Errors: TemplateError (assignment to an undeclared variable). */
export function setVariable(
  pipe: Pipe,
  to: { readonly scope: Scope; readonly name: string; readonly value: unknown },
): void {
  if (pipe.assigns) to.scope.assign(to.name, to.value);
  else to.scope.declare(to.name, to.value);
}
