// The parameters to which a text can refer in the syntax of Tekton, Argo and OpenShift, and their substitution. Pure.
import { asFields, fieldOf, scalarOf } from '../fields.ts';

/** The value of a parameter, and the entry that sets it. The entry of a parameter that is only a part of an image is not searched for images. */
export interface Parameter {
  /** `undefined` if the value is known only when the workflow runs. */
  readonly text: string | undefined;
  readonly entries: readonly object[];
}

/** Parameters by their name in a text, without delimiters for Tekton and Argo: `params.image`, `workflow.parameters.tag`, `${TAG}`. */
export type ParameterScope = ReadonlyMap<string, Parameter>;

export const NOTHING: ParameterScope = new Map();

/** Longer than any image. Values that are substituted into each other repeatedly could exceed it. */
const MAX_VALUE = 10_000;
/** Maximum number of characters by which substitution may lengthen a text. */
const MAX_GROWTH = 64 << 10;

/** `$(params.x)`, `$(params["x"])`, `{{inputs.parameters.x}}`, `{{=inputs.parameters['x']}}`, `${{X}}`, `${X}`. */
const NAMED = /\$\(([\w.[\]'"*-]+)\)|\{\{=?[ \t]*([\w.[\]'"-]+)[ \t]*\}\}|\$\{\{(\w+)\}\}|\$\{(\w+)\}/g;
/** A text without a match contains no parameters. */
export const MAY_NAME = /\$\(|\{\{|\$\{/;

export interface FilledText {
  readonly text: string;
  /** The text still contains a parameter without a value. */
  readonly isOpen: boolean;
  /** The parameters that were substituted. */
  readonly parameters: readonly Parameter[];
  /** Substituted parameters that are only part of a name, as in `quay.io/x/$(params.name):1`. */
  readonly parts: readonly Parameter[];
}

/** The text with the values of the scope. Parameters that are not in the scope stay as they are. */
export function fillText(text: string, scope: ParameterScope): FilledText {
  if (scope.size === 0 || !MAY_NAME.test(text)) return { text, isOpen: MAY_NAME.test(text), parameters: [], parts: [] };
  const parameters: Parameter[] = [];
  const parts: Parameter[] = [];
  let growth = 0;
  let isOpen = false;
  const filled = text.replace(NAMED, (whole: string, ...groups: unknown[]) => {
    const [tekton, argo, doubled, single] = groups as readonly (string | undefined)[];
    const at = groups.findLast((group) => typeof group === 'number') as number;
    const parameter = scope.get(nameOf({ tekton, argo, openshift: doubled ?? single }));
    if (parameter?.text === undefined || growth > MAX_GROWTH) {
      isOpen = true;
      return whole;
    }
    growth += parameter.text.length;
    parameters.push(parameter);
    const isPart = text[at - 1] === '/' || ':/@'.includes(text[at + whole.length] ?? ' ');
    // An OpenShift parameter is used only by its own template, so it always counts as a part.
    if (isPart || tekton === argo) parts.push(parameter);
    return parameter.text;
  });
  // If everything is empty, the value is still to be given.
  if (filled.trim() === '') return { text, isOpen: true, parameters: [], parts: [] };
  return { text: filled, isOpen, parameters, parts };
}

function nameOf(written: {
  readonly tekton: string | undefined;
  readonly argo: string | undefined;
  readonly openshift: string | undefined;
}): string {
  const { tekton, argo, openshift } = written;
  if (openshift !== undefined) return `\${${openshift}}`;
  const plain = (tekton ?? argo ?? '').replace(/\[(["'])([\w.-]*)\1\]/g, '.$2');
  return tekton === undefined ? plain : plain.replace(/^inputs\.params\./, 'params.');
}

/** The value of a parameter, also for each element of a list and each key of a map. `text` is `undefined` if the entry gives no value. */
export function* parametersOf(name: string, value: unknown, entry: object): Iterable<readonly [string, Parameter]> {
  const entries = [entry];
  const text = (one: unknown): string | undefined => scalarOf({ one }, 'one')?.slice(0, MAX_VALUE);
  const items = Array.isArray(value) ? value.map(text) : undefined;
  if (items) {
    for (const [index, item] of items.entries()) yield [`${name}[${index}]`, { text: item, entries }];
    yield [`${name}[*]`, { text: items.join(' ').slice(0, MAX_VALUE), entries }];
  } else if (asFields(value)) {
    for (const key of Object.keys(value as object))
      yield [`${name}.${key}`, { text: text(fieldOf(value, key)), entries }];
  } else {
    const own = text(typeof value === 'boolean' ? String(value) : value);
    if (own !== undefined) yield [name, { text: own, entries }];
  }
}
