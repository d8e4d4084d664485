// Parses the tokens of a Go template into a tree: texts, actions, if/with/range, template calls. Definitions are returned separately. Relies on the lexer.
import { lexTemplate, type TemplateAction, TemplateSyntaxError, type TemplateToken, type Text } from './lexer.ts';

export type Node =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | { readonly kind: 'action'; readonly pipe: Pipe; readonly line: number }
  | {
      readonly kind: 'if' | 'with' | 'range';
      readonly pipe: Pipe;
      readonly body: Body;
      readonly otherwise: Body;
      readonly line: number;
    }
  | { readonly kind: 'template'; readonly name: string; readonly pipe: Pipe | undefined; readonly line: number }
  | { readonly kind: 'break' | 'continue'; readonly line: number };

export type Body = readonly Node[];

export interface Pipe {
  /** The variables in `$a, $b :=` or `$a =`. */
  readonly variables: readonly string[];
  readonly assigns: boolean;
  /** The value of each command is the last argument of the next one. */
  readonly commands: readonly (readonly Expression[])[];
}

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean | null }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'dot' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }
  | { readonly kind: 'fields'; readonly of: Expression; readonly path: readonly string[] };

export interface ParsedTemplate {
  readonly body: Body;
  /** The templates that `define` and `block` define, by the name for `include`. */
  readonly defines: ReadonlyMap<string, Body>;
}

/** Parses one template file. Throws TemplateSyntaxError. */
export function parseTemplate(source: string): ParsedTemplate {
  try {
    return parse(source);
  } catch (error) {
    if (error instanceof RangeError) throw new TemplateSyntaxError('it is nested too deeply', 1);
    throw error;
  }
}

function parse(source: string): ParsedTemplate {
  const defines = new Map<string, Body>();
  const parts = lexTemplate(source);
  let at = 0;

  const parseBody = (ends: readonly string[]): { readonly body: Body; readonly end: Cursor | undefined } => {
    const body: Node[] = [];
    for (let part = parts[at]; part !== undefined; part = parts[at]) {
      at++;
      if (part.kind === 'text') {
        body.push(part);
        continue;
      }
      const cursor = new Cursor(part);
      const keyword = cursor.keyword();
      if (keyword !== undefined && ends.includes(keyword)) return { body, end: cursor };
      const node = parseAction(keyword, cursor);
      if (node) body.push(node);
    }
    if (ends.length > 0) throw new TemplateSyntaxError('unexpected end: an action is not closed', lastLine(parts));
    return { body, end: undefined };
  };

  const parseAction = (keyword: string | undefined, cursor: Cursor): Node | undefined => {
    const line = cursor.line;
    switch (keyword) {
      case 'if':
      case 'with':
      case 'range':
        return parseControl(keyword, cursor);
      case 'define': {
        const name = cursor.string();
        defines.set(name, parseBody(['end']).body);
        return undefined;
      }
      case 'block': {
        const name = cursor.string();
        const pipe = parsePipe(cursor);
        defines.set(name, parseBody(['end']).body);
        return { kind: 'template', name, pipe, line };
      }
      case 'template': {
        const name = cursor.string();
        return { kind: 'template', name, pipe: cursor.done() ? undefined : parsePipe(cursor), line };
      }
      case 'break':
      case 'continue':
        return { kind: keyword, line };
      case 'end':
      case 'else':
        throw new TemplateSyntaxError(`unexpected {{${keyword}}}`, line);
      default:
        return cursor.done() ? undefined : { kind: 'action', pipe: parsePipe(cursor), line };
    }
  };

  const parseControl = (kind: 'if' | 'with' | 'range', cursor: Cursor): Node => {
    const line = cursor.line;
    const pipe = parsePipe(cursor);
    const { body, end } = parseBody(['end', 'else']);
    if (end?.last !== 'else') return { kind, pipe, body, otherwise: [], line };
    const chained = end.keyword();
    if (chained === 'if' || chained === 'with') {
      return { kind, pipe, body, otherwise: [parseControl(chained, end)], line };
    }
    return { kind, pipe, body, otherwise: parseBody(['end']).body, line };
  };

  return { body: parseBody([]).body, defines };
}

const KEYWORDS = new Set(['if', 'else', 'end', 'with', 'range', 'define', 'block', 'template', 'break', 'continue']);

/** Reads the tokens of one action in sequence. */
class Cursor {
  readonly line: number;
  last: string | undefined;
  readonly #tokens: readonly TemplateToken[];
  #at = 0;

  constructor(action: TemplateAction) {
    this.line = action.line;
    this.#tokens = action.tokens;
  }

  peek(): TemplateToken | undefined {
    return this.#tokens[this.#at];
  }

  after(): TemplateToken | undefined {
    return this.#tokens[this.#at + 1];
  }

  next(): TemplateToken {
    const token = this.#tokens[this.#at++];
    if (!token) throw new TemplateSyntaxError('an action ends too early', this.line);
    return token;
  }

  done(): boolean {
    return this.#at >= this.#tokens.length;
  }

  mark(value: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'mark' || token.value !== value) return false;
    this.#at++;
    return true;
  }

  keyword(): string | undefined {
    const token = this.peek();
    if (token?.kind !== 'word' || !KEYWORDS.has(token.value)) return undefined;
    this.#at++;
    this.last = token.value;
    return token.value;
  }

  string(): string {
    const token = this.next();
    if (token.kind !== 'string') throw new TemplateSyntaxError('a template name must be a string', this.line);
    return token.value;
  }
}

function parsePipe(cursor: Cursor): Pipe {
  const { variables, assigns } = parseVariables(cursor);
  const commands: Expression[][] = [];
  do {
    const command: Expression[] = [];
    while (!cursor.done() && !isEndOfCommand(cursor.peek())) command.push(parseOperand(cursor));
    if (command.length === 0) throw new TemplateSyntaxError('missing value for command', cursor.line);
    commands.push(command);
    // Go accepts a trailing `|` in a pipe.
  } while (cursor.mark('|') && !cursor.done());
  return { variables, assigns, commands };
}

function parseVariables(cursor: Cursor): { readonly variables: readonly string[]; readonly assigns: boolean } {
  const first = cursor.peek();
  const after = cursor.after();
  if (first?.kind !== 'variable' || after?.kind !== 'mark') return { variables: [], assigns: false };
  if (after.value !== ':=' && after.value !== '=' && after.value !== ',') return { variables: [], assigns: false };
  cursor.next();
  const variables = [first.value];
  while (cursor.mark(',')) {
    const token = cursor.next();
    if (token.kind !== 'variable') throw new TemplateSyntaxError('a variable must follow [,]', cursor.line);
    variables.push(token.value);
  }
  if (cursor.mark(':=')) return { variables, assigns: false };
  if (cursor.mark('=')) return { variables, assigns: true };
  throw new TemplateSyntaxError('[:=] must follow a variable list', cursor.line);
}

function isEndOfCommand(token: TemplateToken | undefined): boolean {
  return token?.kind === 'mark' && (token.value === '|' || token.value === ')');
}

function parseOperand(cursor: Cursor): Expression {
  const of = parseTerm(cursor);
  const path: string[] = [];
  for (let token = cursor.peek(); token?.kind === 'field' && !token.spaced; token = cursor.peek()) {
    path.push(token.value);
    cursor.next();
  }
  if (path.length === 0) return of;
  // `.a.b` is one chain. In Go a chain on a missing operand has no value, but a missing link within the chain is an error.
  return of.kind === 'fields' ? { ...of, path: [...of.path, ...path] } : { kind: 'fields', of, path };
}

function parseTerm(cursor: Cursor): Expression {
  const token = cursor.next();
  switch (token.kind) {
    case 'string':
    case 'number':
      return { kind: 'literal', value: token.value };
    case 'dot':
      return { kind: 'dot' };
    case 'field':
      return { kind: 'fields', of: { kind: 'dot' }, path: [token.value] };
    case 'variable':
      return { kind: 'variable', name: token.value };
    case 'word':
      return CONSTANTS.get(token.value) ?? { kind: 'function', name: token.value };
    case 'mark': {
      if (token.value !== '(') throw new TemplateSyntaxError(`unexpected [${token.value}] in operand`, cursor.line);
      const pipe = parsePipe(cursor);
      if (!cursor.mark(')')) throw new TemplateSyntaxError('unclosed left paren', cursor.line);
      return { kind: 'pipe', pipe };
    }
  }
}

const CONSTANTS: ReadonlyMap<string, Expression> = new Map([
  ['true', { kind: 'literal', value: true }],
  ['false', { kind: 'literal', value: false }],
  ['nil', { kind: 'literal', value: null }],
] as const);

function lastLine(parts: readonly (Text | TemplateAction)[]): number {
  return parts.at(-1)?.line ?? 1;
}
