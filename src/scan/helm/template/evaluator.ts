// Runs a parsed template (text/template; control.ts has its control structures). What cannot be evaluated is marked, not guessed.
import { controlStructures, LoopSignal } from './control.ts';
import type { Engine, RenderOptions } from './engine.ts';
import { RunawayError, TemplateError } from './errors.ts';
import { templateExpressions } from './expressions.ts';
import { Output, type Rendered } from './output.ts';
import type { Body, Node, Pipe } from './parser.ts';
import { type Frame, Scope } from './scope.ts';
import { print, UNKNOWN } from './values.ts';
import { boundedText, spendWork, withWork } from './work.ts';

/** Maximum depth of templates that include each other. Unbounded recursion is an attack or a mistake. */
const MAX_DEPTH = 100;
const MAX_STEPS = 2_000_000;
/** Cost of one step, in characters. */
const STEP = 20;

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
        control.range(node, frame);
        return;
      default:
        control.condition(node, frame);
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

  const control = controlStructures({ runBody, step, attempt, expressions, explores: options.explores ?? false });

  return withWork(() => {
    const output = new Output();
    runBody(body, { dot, scope: new Scope(undefined, dot), output });
    return output.rendered();
  }, options.budget);
}
