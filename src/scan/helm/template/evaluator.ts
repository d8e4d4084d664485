// Runs a parsed template, with the control structures of text/template. What cannot be evaluated is marked, not guessed.
import { describePipe, hasLines, rangeEntries } from './blocks.ts';
import type { Engine, RenderOptions } from './engine.ts';
import { RunawayError, TemplateError } from './errors.ts';
import { templateExpressions } from './expressions.ts';
import { Output, type Rendered } from './output.ts';
import type { Body, Node, Pipe } from './parser.ts';
import { type Frame, Scope, setVariable } from './scope.ts';
import { isTrue, isUnknown, print, UNKNOWN } from './values.ts';
import { boundedText, spendWork, withWork } from './work.ts';

/** Maximum depth of templates that include each other. Unbounded recursion is an attack or a mistake. */
const MAX_DEPTH = 100;
const MAX_STEPS = 2_000_000;
/** Cost of one step, in characters. */
const STEP = 20;
/** Maximum number of iterations over a number. No chart needs more, and each one may copy a growing list. */
const MAX_COUNT = 10_000;
/** The same limit for branches that are only explored: a port or a size in bytes may be taken for a count there. */
const MAX_EXPLORED_COUNT = 10;

/** Renders one template with `dot` as its data. Throws RunawayError if the template exceeds its limits. */
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

  const expressions = templateExpressions(options.functions, engine);

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
        const value = attempt(() => expressions.pipe(node.pipe, frame));
        if (node.pipe.variables.length === 0) frame.output.write(print(value), { line: node.line });
        return;
      }
      case 'template': {
        const inner = node.pipe && attempt(() => expressions.pipe(node.pipe as Pipe, frame));
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
    const value = attempt(() => expressions.pipe(node.pipe, inner));
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
    output.switchedOff(describePipe(node.pipe), () => runAside(run));
  };

  /** With whole lines, both sides may be in the output. Within a line the result is unknown. */
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
    const value = attempt(() => expressions.commands(node.pipe, frame));
    const entries = rangeEntries(value, options.explores ? MAX_EXPLORED_COUNT : MAX_COUNT);
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

  /** An expression that fails becomes unknown, so that one missing value does not hide the rest of the chart. */
  const attempt = (evaluate: () => unknown): unknown => {
    try {
      return evaluate();
    } catch (error) {
      if (!(error instanceof TemplateError) || error instanceof RunawayError) throw error;
      options.problem(error.message, line);
      return UNKNOWN;
    }
  };

  return withWork(() => {
    const output = new Output();
    runBody(body, { dot, scope: new Scope(undefined, dot), output });
    return output.rendered();
  }, options.budget);
}

/** Runs code that may break out of a loop. Returns how it did. */
function untilSignal(run: () => void): LoopSignal['kind'] | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof LoopSignal) return error.kind;
    throw error;
  }
}

/** Runs a branch of which it is unknown whether it runs. A `break` or `continue` in it does not skip what follows. */
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
