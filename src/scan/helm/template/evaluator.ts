// Runs a parsed template: text/template's rules for dot, variables, fields, pipes and control. What cannot be worked out is marked, not guessed.
import { RunawayError, TemplateError } from './errors.ts';
import { Output, type Rendered } from './output.ts';
import type { Body, Expression, Node, Pipe } from './parser.ts';
import { type Dictionary, isDictionary, isTrue, isUnknown, print, UNKNOWN } from './values.ts';
import { boundedText, spendValues, spendWork, type WorkBudget, withWork } from './work.ts';

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

/** Templates that include themselves without end, and loops over millions, are attacks or mistakes. */
const MAX_DEPTH = 100;
const MAX_STEPS = 2_000_000;
/** In characters. */
const STEP = 20;
/** No chart counts to more; each round may copy a list that grows. */
const MAX_COUNT = 10_000;
/** What only is explored takes any number of the values for a count: a port, a size in bytes. */
const MAX_EXPLORED_COUNT = 10;

/** Renders one template with `dot` as its data. Throws TemplateError where a template runs away. */
export function renderTemplate(body: Body, dot: unknown, options: RenderOptions): Rendered {
  let steps = 0;
  let depth = 0;
  let line = 1;

  const engine: Engine = {
    include: (name, inner) => {
      const template = options.templates.get(name);
      if (!template) {
        options.problem(`the named template [${name}] is nowhere`, line);
        return UNKNOWN;
      }
      return nested(template, inner);
    },
    run: (source, inner) => nested(options.parse(source), inner),
    problem: (text) => options.problem(text, line),
  };

  const nested = (template: Body, inner: unknown): string => {
    if (depth >= MAX_DEPTH) throw new RunawayError('templates include each other without end');
    const output = new Output();
    const outerLine = line;
    depth++;
    try {
      runBody(template, { dot: inner, scope: new Scope(undefined, inner), output });
    } finally {
      depth--;
      line = outerLine;
    }
    return boundedText(output.text());
  };

  const runBody = (nodes: Body, frame: Frame): void => {
    for (const node of nodes) {
      step();
      if (frame.output.length > MAX_STEPS) throw new RunawayError('a template writes without end');
      line = node.line;
      runNode(node, frame);
    }
  };

  const step = (): void => {
    spendWork(STEP);
    if (++steps > MAX_STEPS) throw new RunawayError('a template runs without end');
  };

  const runNode = (node: Node, frame: Frame): void => {
    switch (node.kind) {
      case 'text':
        frame.output.write(node.text, { line: node.line, follows: true });
        return;
      case 'action': {
        const value = attempt(() => evalPipe(node.pipe, frame));
        if (node.pipe.variables.length === 0) frame.output.write(print(value), { line: node.line });
        return;
      }
      case 'template': {
        const inner = node.pipe && attempt(() => evalPipe(node.pipe as Pipe, frame));
        frame.output.write(engine.include(node.name, inner), { line: node.line });
        return;
      }
      case 'break':
      case 'continue':
        throw new LoopSignal(node.kind);
      case 'range':
        runRange(node, frame);
        return;
      default:
        runCondition(node, frame);
    }
  };

  const runCondition = (node: Control, frame: Frame): void => {
    const inner: Frame = { ...frame, scope: new Scope(frame.scope) };
    const value = attempt(() => evalPipe(node.pipe, inner));
    const then = (): void => runBody(node.body, node.kind === 'with' ? { ...inner, dot: value } : inner);
    const otherwise = (): void => runBody(node.otherwise, inner);
    if (isUnknown(value)) runBoth(node, { then, otherwise, frame });
    else if (isTrue(value)) {
      then();
      if (options.explores && hasLines(node.otherwise)) explore(node, otherwise, frame);
    } else {
      otherwise();
      if (options.explores && hasLines(node.body)) explore(node, then, frame);
    }
  };

  const explore = (node: Control, run: () => void, { output }: Frame): void => {
    output.switchedOff(describe(node.pipe), () => runAside(run));
  };

  /** Whole lines of both sides may be there; within a line nobody can say what it comes to. */
  const runBoth = (node: Control, run: { then: () => void; otherwise: () => void; frame: Frame }): void => {
    const { output } = run.frame;
    if (hasLines(node.body) || hasLines(node.otherwise)) {
      output.doubtfully(() => runAside(run.then));
      output.doubtfully(() => runAside(run.otherwise));
      return;
    }
    const before = output.length;
    output.discarding(() => {
      output.doubtfully(() => runAside(run.then));
      output.doubtfully(() => runAside(run.otherwise));
    });
    if (output.length > before) output.write(UNKNOWN, { line: node.line });
  };

  const runRange = (node: Control, frame: Frame): void => {
    const [first, second] = node.pipe.variables;
    const value = attempt(() => evalCommands(node.pipe, frame));
    const entries = entriesOf(value, options.explores ? MAX_EXPLORED_COUNT : MAX_COUNT);
    if (entries.length === 0) {
      const inner: Frame = { ...frame, scope: new Scope(frame.scope) };
      runBody(node.otherwise, inner);
      if (!options.explores || !hasLines(node.body)) return;
      for (const name of node.pipe.variables) inner.scope.declare(name, undefined);
      explore(node, () => runBody(node.body, { ...inner, dot: undefined }), frame);
      return;
    }
    for (const [key, item] of entries) {
      step();
      const scope = new Scope(frame.scope);
      if (first !== undefined) setVariable(node.pipe, { scope, name: first, value: second === undefined ? item : key });
      if (second !== undefined) setVariable(node.pipe, { scope, name: second, value: item });
      if (untilSignal(() => runBody(node.body, { ...frame, scope, dot: item })) === 'break') return;
    }
  };

  /** What fails becomes unknown, so that one missing value does not hide the rest of the chart. */
  const attempt = (evaluate: () => unknown): unknown => {
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof TemplateError) || error instanceof RunawayError) throw error;
      options.problem(error.message, line);
      return UNKNOWN;
    }
  };

  const evalPipe = (pipe: Pipe, frame: Frame): unknown => {
    const [name] = pipe.variables;
    if (name === undefined) return evalCommands(pipe, frame);
    let value: unknown = UNKNOWN;
    try {
      value = evalCommands(pipe, frame);
    } finally {
      const isSure = !pipe.assigns || !frame.output.isDoubtful;
      setVariable(pipe, { scope: frame.scope, name, value: isSure ? value : UNKNOWN });
    }
    return value;
  };

  const evalCommands = (pipe: Pipe, frame: Frame): unknown =>
    pipe.commands.reduce<{ readonly value: unknown; readonly isFirst: boolean }>(
      ({ value, isFirst }, command) => ({ value: evalCommand(command, isFirst ? [] : [value], frame), isFirst: false }),
      { value: undefined, isFirst: true },
    ).value;

  const evalCommand = (command: readonly Expression[], piped: readonly unknown[], frame: Frame): unknown => {
    const [head, ...operands] = command;
    if (!head) throw new TemplateError('an empty command');
    if (head.kind === 'function') return call(head.name, { operands, piped, frame });
    if (head.kind === 'fields' && (operands.length > 0 || piped.length > 0)) {
      return evalFields(head, frame, [...operands.map((operand) => evalExpression(operand, frame)), ...piped]);
    }
    if (operands.length > 0 || piped.length > 0) throw new TemplateError("can't give argument to non-function");
    return evalExpression(head, frame);
  };

  const call = (
    name: string,
    given: { operands: readonly Expression[]; piped: readonly unknown[]; frame: Frame },
  ): unknown => {
    const { operands, piped, frame } = given;
    if (name === 'and' || name === 'or') {
      return evalLogic(name, [
        ...operands.map((operand) => () => evalExpression(operand, frame)),
        ...piped.map((value) => () => value),
      ]);
    }
    const found = options.functions.get(name);
    if (!found) throw new TemplateError(`the function [${name}] is not known`);
    return callBounded(found, [...operands.map((operand) => evalExpression(operand, frame)), ...piped], engine);
  };

  const evalExpression = (expression: Expression, frame: Frame): unknown => {
    switch (expression.kind) {
      case 'literal':
        return expression.value;
      case 'dot':
        return frame.dot;
      case 'variable':
        return frame.scope.get(expression.name);
      case 'pipe':
        return evalPipe(expression.pipe, frame);
      case 'function':
        return call(expression.name, { operands: [], piped: [], frame });
      case 'fields':
        return evalFields(expression, frame, []);
    }
  };

  const evalFields = (
    { of, path }: Extract<Expression, { readonly kind: 'fields' }>,
    frame: Frame,
    args: readonly unknown[],
  ): unknown => {
    let value = evalExpression(of, frame);
    if (value === null || value === undefined) return undefined;
    for (const [index, name] of path.entries()) value = fieldOf(value, name, index === path.length - 1 ? args : []);
    return value;
  };

  return withWork(() => {
    const output = new Output();
    runBody(body, { dot, scope: new Scope(undefined, dot), output });
    return output.rendered();
  }, options.budget);
}

/** A function costs what it is given and what it makes. What the runtime refuses (a text, a stack that is too large) is the template's doing. */
function callBounded(run: TemplateFunction, args: readonly unknown[], engine: Engine): unknown {
  for (const arg of args) spendWork(extentOf(arg));
  try {
    const result = run(args, engine);
    if (typeof result === 'string') return boundedText(result);
    spendWork(extentOf(result));
    return result;
  } catch (error) {
    if (error instanceof RangeError) throw new TemplateError(error.message);
    throw error;
  }
}

function extentOf(value: unknown): number {
  return typeof value === 'string' || Array.isArray(value) ? value.length : 1;
}

/** Runs what may leave a loop, and says whether it did. */
function untilSignal(run: () => void): LoopSignal['kind'] | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof LoopSignal) return error.kind;
    throw error;
  }
}

/** Runs what nobody knows to run: a `break` or `continue` in it does not take away what comes after it. */
function runAside(run: () => void): void {
  untilSignal(run);
}

class LoopSignal extends Error {
  readonly kind: 'break' | 'continue';

  constructor(kind: 'break' | 'continue') {
    super(kind);
    this.kind = kind;
  }
}

type Control = Extract<Node, { readonly pipe: Pipe; readonly body: Body }>;

interface Frame {
  readonly dot: unknown;
  readonly scope: Scope;
  readonly output: Output;
}

class Scope {
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

/** `and` and `or` stop at the first operand that decides, and give its value. */
function evalLogic(name: 'and' | 'or', operands: readonly (() => unknown)[]): unknown {
  let value: unknown;
  let unknown = false;
  for (const operand of operands) {
    value = operand();
    if (isUnknown(value)) unknown = true;
    else if (isTrue(value) === (name === 'or')) return unknown && name === 'or' ? UNKNOWN : value;
  }
  return unknown ? UNKNOWN : value;
}

function setVariable(pipe: Pipe, to: { readonly scope: Scope; readonly name: string; readonly value: unknown }): void {
  if (pipe.assigns) to.scope.assign(to.name, to.value);
  else to.scope.declare(to.name, to.value);
}

function fieldOf(value: unknown, name: string, args: readonly unknown[]): unknown {
  if (typeof value === 'string' && isUnknown(value)) return UNKNOWN;
  if (value === null || value === undefined) throw new TemplateError(`nil pointer evaluating [.${name}]`);
  if (!isDictionary(value)) throw new TemplateError(`can't evaluate field [${name}] in [${print(value)}]`);
  const field = Object.hasOwn(value, name) ? (value as Dictionary)[name] : undefined;
  return typeof field === 'function' ? (field as (...given: readonly unknown[]) => unknown)(...args) : field;
}

function entriesOf(value: unknown, maxCount: number): readonly (readonly [unknown, unknown])[] {
  const entries = allEntriesOf(value, maxCount);
  spendValues(entries.length);
  return entries;
}

function allEntriesOf(value: unknown, maxCount: number): readonly (readonly [unknown, unknown])[] {
  if (Array.isArray(value)) return value.map((item, index) => [index, item]);
  if (typeof value === 'number')
    return Array.from({ length: Math.max(0, Math.min(value, maxCount)) }, (_, index) => [index, index]);
  if (!isDictionary(value)) return [];
  return Object.keys(value)
    .sort()
    .map((key) => [key, value[key]]);
}

/** The values that a condition looks at, for people: `.Values.metrics.enabled`. */
function describe(pipe: Pipe): string {
  const names = pipe.commands.flat().flatMap(namesOf);
  return [...new Set(names)].join(', ') || 'a condition of the template';
}

function namesOf(expression: Expression): readonly string[] {
  if (expression.kind === 'pipe') return expression.pipe.commands.flat().flatMap(namesOf);
  if (expression.kind === 'variable') return [expression.name];
  if (expression.kind !== 'fields') return [];
  const [of = ''] = namesOf(expression.of);
  return [`${of === '$' ? '' : of}.${expression.path.join('.')}`];
}

/** Only whole lines are explored: both sides of a condition inside one line would make texts that no chart means. */
function hasLines(body: Body): boolean {
  const known = withLines.get(body);
  if (known !== undefined) return known;
  const has = body.some(
    (node) =>
      (node.kind === 'text' && node.text.includes('\n')) ||
      ('body' in node && (hasLines(node.body) || hasLines(node.otherwise))),
  );
  withLines.set(body, has);
  return has;
}

/** Loops ask for the same bodies each time. */
const withLines = new WeakMap<Body, boolean>();
