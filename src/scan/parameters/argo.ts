// Argo Workflows' parameters: a workflow's arguments, the inputs of its templates with their defaults, and what steps and tasks hand to the templates
// that they call, once for each item of a loop (argo-workflows.readthedocs.io/en/latest/walk-through/parameters).
import { asFields, type Fields, fieldOf, listOf, textOf, valueAt } from '../fields.ts';
import { fillText, NOTHING, type Parameter, type ParameterScope, parametersOf } from './scope.ts';

/** Maximum number of different calls of templates in one object. Templates may call each other without end. */
const MAX_CALLS = 1000;
/** Maximum number of characters for all calls of one template: its length times its calls. A few calls (FEW) are always examined. */
const MAX_CHARACTERS = 16 << 20;
const FEW = 50;
/** Maximum number of steps and loop iterations, also of those that repeat a known call. */
const MAX_ROUNDS = 20_000;

export interface WorkflowPlan {
  /** The parameters that every template sees. */
  readonly scope: ParameterScope;
  /** The scopes with which each template is called. Each template has at least one. */
  readonly scopes: ReadonlyMap<object, readonly ParameterScope[]>;
  /** What was left out because of a limit. `undefined` if nothing was. */
  readonly cut: string | undefined;
}

type Arguments = ReadonlyMap<string, Parameter>;

export function planWorkflow(spec: Fields): WorkflowPlan {
  const global = argumentsOf(fieldOf(spec, 'arguments'), NOTHING);
  const scope: ParameterScope = new Map(
    [...global].map(([name, parameter]) => [`workflow.parameters.${name}`, parameter]),
  );
  const templates = mapsOf(listOf(spec, 'templates'));
  const byName = new Map(templates.map((template) => [textOf(template, 'name'), template]));
  const scopes = new Map<object, ParameterScope[]>(templates.map((template) => [template, []]));
  const seen = new Set<string>();
  const pending: { readonly template: Fields; readonly given: Arguments }[] = [];
  const call = (template: Fields | undefined, given: Arguments): void => {
    if (template) pending.push({ template, given });
  };
  const isEnough = (template: Fields): boolean => {
    const calls = scopes.get(template)?.length ?? 0;
    return seen.size >= MAX_CALLS || (calls >= FEW && calls * lengthOf(template) > MAX_CHARACTERS);
  };
  let rounds = 0;
  let cut: string | undefined;
  const called = (): void => {
    for (let next = pending.shift(); next; next = pending.shift()) {
      const { template, given } = next;
      const inner = new Map([...scope, ...inputsOf(template, given)]);
      const key = JSON.stringify([textOf(template, 'name'), [...inner].map(([name, { text }]) => [name, text])]);
      if (seen.has(key)) continue;
      if (isEnough(template)) {
        cut ??= `the template [${textOf(template, 'name') ?? ''}] is called in so many ways that not all are looked at`;
        continue;
      }
      seen.add(key);
      scopes.get(template)?.push(inner);
      for (const step of stepsOf(template)) {
        const items = itemsOf(step, inner);
        if (items.length > MAX_CALLS) cut ??= `${stepName(step)} is run for more than ${MAX_CALLS} items`;
        for (const item of items.slice(0, MAX_CALLS)) {
          if (++rounds > MAX_ROUNDS) {
            cut ??= `${stepName(step)} comes after more than ${MAX_ROUNDS} others`;
            break;
          }
          call(
            byName.get(textOf(step, 'template')),
            argumentsOf(fieldOf(step, 'arguments'), new Map([...inner, ...item])),
          );
        }
      }
    }
  };
  for (const name of ['entrypoint', 'onExit']) call(byName.get(textOf(spec, name)), global);
  called();
  // Templates that no template here calls are entry points for other workflows.
  const callees = new Set(templates.flatMap(stepsOf).map((step) => textOf(step, 'template')));
  for (const template of templates)
    if (!callees.has(textOf(template, 'name')) && scopes.get(template)?.length === 0) call(template, new Map());
  called();
  for (const template of templates) if (scopes.get(template)?.length === 0) call(template, new Map());
  called();
  return { scope, scopes, cut };
}

const lengths = new WeakMap<object, number>();

function lengthOf(template: Fields): number {
  const length = lengths.get(template) ?? JSON.stringify(template).length;
  lengths.set(template, length);
  return length;
}

/** `arguments.parameters`, with the values of the surrounding scope filled in. */
function argumentsOf(holder: unknown, scope: ParameterScope): Arguments {
  const given = new Map<string, Parameter>();
  for (const entry of listOf(holder, 'parameters')) {
    const name = textOf(entry, 'name');
    if (name !== undefined) given.set(name, argumentOf(entry as object, scope));
  }
  return given;
}

function argumentOf(entry: object, scope: ParameterScope): Parameter {
  const [first] = parametersOf('', writtenIn(entry), entry);
  if (first?.[1].text === undefined) return { text: undefined, entries: [entry] };
  const filled = fillText(first[1].text, scope);
  const entries = [entry, ...filled.parameters.flatMap((parameter) => parameter.entries)];
  return { text: filled.isOpen ? undefined : filled.text, entries };
}

function writtenIn(entry: object): unknown {
  return fieldOf(entry, 'value') ?? fieldOf(entry, 'default') ?? valueAt(entry, 'valueFrom', 'default');
}

/** The inputs of a template. A parameter that is not given has its default. */
function inputsOf(template: Fields, given: Arguments): ParameterScope {
  const inputs = new Map<string, Parameter>();
  for (const entry of listOf(fieldOf(template, 'inputs'), 'parameters')) {
    const name = textOf(entry, 'name');
    if (name === undefined) continue;
    const own = entry as object;
    const [declared] = parametersOf('', writtenIn(own), own);
    const value = given.get(name) ?? declared?.[1];
    if (value) inputs.set(`inputs.parameters.${name}`, { text: value.text, entries: [own, ...value.entries] });
  }
  return inputs;
}

/** `steps:` is a list of lists, `dag.tasks:` is a list. */
function stepsOf(template: Fields): readonly Fields[] {
  const groups = listOf(template, 'steps').flatMap((group) => (Array.isArray(group) ? group : [group]));
  return mapsOf([...groups, ...listOf(fieldOf(template, 'dag'), 'tasks')]);
}

function stepName(step: Fields): string {
  return `the step [${textOf(step, 'name') ?? ''}]`;
}

/** `{{item}}` and `{{item.key}}` for each iteration of the loop. Without known items: one empty scope. */
function itemsOf(step: Fields, scope: ParameterScope): readonly ParameterScope[] {
  const written = textOf(step, 'withParam');
  const items = written === undefined ? listOf(step, 'withItems') : parsedList(fillText(written, scope).text);
  if (items.length === 0) return [NOTHING];
  return items.slice(0, MAX_CALLS + 1).map((item) => new Map(parametersOf('item', item, step)));
}

function parsedList(text: string): readonly unknown[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list : [];
  } catch {
    // The loop runs over the output of an earlier step, which is unknown.
    return [];
  }
}

function mapsOf(list: readonly unknown[]): readonly Fields[] {
  return list.map(asFields).filter((fields) => fields !== undefined);
}
