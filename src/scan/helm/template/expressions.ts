// Evaluates pipes with text/template's rules for fields, calls and operands. What cannot be evaluated is UNKNOWN.
import type { Engine, RenderOptions, TemplateFunction } from './engine.ts';
import { TemplateError } from './errors.ts';
import type { Expression, Pipe } from './parser.ts';
import { type Frame, setVariable } from './scope.ts';
import { type Dictionary, isDictionary, isTrue, isUnknown, print, UNKNOWN } from './values.ts';
import { boundedText, spendWork } from './work.ts';

export interface Expressions {
  /** The value of a pipe. Also assigns it to the pipe's variable, if it has one. */
  pipe(pipe: Pipe, frame: Frame): unknown;
  /** The value of a pipe, without assigning it. */
  commands(pipe: Pipe, frame: Frame): unknown;
}

/** Both functions throw TemplateError and RunawayError. */
export function templateExpressions(functions: RenderOptions['functions'], engine: Engine): Expressions {
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
    const found = functions.get(name);
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

  return { pipe: evalPipe, commands: evalCommands };
}

/** Charges a function for its arguments and its result. A RangeError of the runtime (a string or stack that is too large) becomes an error of the template. */
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

/** `and` and `or` stop at the first operand that decides, and return its value. */
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

function fieldOf(value: unknown, name: string, args: readonly unknown[]): unknown {
  if (typeof value === 'string' && isUnknown(value)) return UNKNOWN;
  if (value === null || value === undefined) throw new TemplateError(`nil pointer evaluating [.${name}]`);
  if (!isDictionary(value)) throw new TemplateError(`can't evaluate field [${name}] in [${print(value)}]`);
  const field = Object.hasOwn(value, name) ? (value as Dictionary)[name] : undefined;
  return typeof field === 'function' ? (field as (...given: readonly unknown[]) => unknown)(...args) : field;
}
