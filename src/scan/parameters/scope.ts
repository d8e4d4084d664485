// The parameters that a text can name, in the ways of Tekton, Argo and OpenShift, and how they are put into it. Pure.
import { asFields, fieldOf, scalarOf } from '../fields.ts';

/** A value, and where it is set: of a parameter that is only a part of an image, nothing else is to be read. */
export interface Parameter {
  /** Undefined: it is set to what only a run can tell. */
  readonly text: string | undefined;
  readonly entries: readonly object[];
}

/** By the name in a text, without marks: `params.image`, `workflow.parameters.tag`, `${TAG}`. */
export type ParameterScope = ReadonlyMap<string, Parameter>;

export const NOTHING: ParameterScope = new Map();

/** No image is longer; values that are put into each other again and again would be. */
const MAX_VALUE = 10_000;
/** A text may grow by so much. */
const MAX_GROWTH = 64 << 10;

/** `$(params.x)`, `$(params["x"])`, `{{inputs.parameters.x}}`, `{{=inputs.parameters['x']}}`, `${{X}}`, `${X}`. */
const NAMED = /\$\(([\w.[\]'"*-]+)\)|\{\{=?[ \t]*([\w.[\]'"-]+)[ \t]*\}\}|\$\{\{(\w+)\}\}|\$\{(\w+)\}/g;
/** In a text without one of these there is nothing to put in. */
export const MAY_NAME = /\$\(|\{\{|\$\{/;

export interface FilledText {
  readonly text: string;
  /** Something is still named that nobody sets. */
  readonly isOpen: boolean;
  /** What was put in. */
  readonly parameters: readonly Parameter[];
  /** Those that are parts of a name: `quay.io/x/$(params.name):1`. */
  readonly parts: readonly Parameter[];
}

/** The text with the values of the scope; what is not in it stays. */
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
    // What OpenShift processes is nothing but its template's.
    if (isPart || tekton === argo) parts.push(parameter);
    return parameter.text;
  });
  // What is empty as a whole is yet to be given.
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

/** Its value, one for each element of a list and each key of a map; undefined where the entry does not say one. */
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
