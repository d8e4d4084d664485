// The control structures of text/template: if, with, range. Of a condition that is not known, both sides run; with `explores`, also the side that is off.
import { describePipe, hasLines, rangeEntries } from './blocks.ts';
import type { Expressions } from './expressions.ts';
import type { Body, Node, Pipe } from './parser.ts';
import { type Frame, Scope, setVariable } from './scope.ts';
import { isTrue, isUnknown, UNKNOWN } from './values.ts';

/** Maximum number of iterations over a number. No chart needs more, and each one may copy a growing list. */
const MAX_COUNT = 10_000;
/** The same limit for branches that are only explored: a port or a size in bytes may be taken for a count there. */
const MAX_EXPLORED_COUNT = 10;

export type Control = Extract<Node, { readonly pipe: Pipe; readonly body: Body }>;

export interface ControlStructures {
  /** `if` and `with`. */
  condition(node: Control, frame: Frame): void;
  range(node: Control, frame: Frame): void;
}

/** What the evaluator does for them. */
interface Evaluation {
  readonly runBody: (nodes: Body, frame: Frame) => void;
  /** Counts an iteration. Throws RunawayError. */
  readonly step: () => void;
  /** Makes the value of an expression that fails unknown. */
  readonly attempt: (evaluate: () => unknown) => unknown;
  readonly expressions: Expressions;
  readonly explores: boolean;
}

export function controlStructures({ runBody, step, attempt, expressions, explores }: Evaluation): ControlStructures {
  const condition = (node: Control, frame: Frame): void => {
    const inner: Frame = { ...frame, scope: new Scope(frame.scope) };
    const value = attempt(() => expressions.pipe(node.pipe, inner));
    const then = (): void => runBody(node.body, node.kind === 'with' ? { ...inner, dot: value } : inner);
    const otherwise = (): void => runBody(node.otherwise, inner);
    if (isUnknown(value)) runBoth(node, { then, otherwise, frame });
    else if (isTrue(value)) {
      then();
      if (explores && hasLines(node.otherwise)) explore(node, otherwise, frame);
    } else {
      otherwise();
      if (explores && hasLines(node.body)) explore(node, then, frame);
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

  const range = (node: Control, frame: Frame): void => {
    const [first, second] = node.pipe.variables;
    const value = attempt(() => expressions.commands(node.pipe, frame));
    const entries = rangeEntries(value, explores ? MAX_EXPLORED_COUNT : MAX_COUNT);
    if (entries.length === 0) {
      const inner: Frame = { ...frame, scope: new Scope(frame.scope) };
      runBody(node.otherwise, inner);
      if (!explores || !hasLines(node.body)) return;
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

  return { condition, range };
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

/** Thrown by `break` and `continue`. */
export class LoopSignal extends Error {
  readonly kind: 'break' | 'continue';

  constructor(kind: 'break' | 'continue') {
    super(kind);
    this.kind = kind;
  }
}
