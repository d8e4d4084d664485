// Fills in the parameters that the objects of a document declare themselves. For Tekton, Argo and OpenShift templates
// (docs.openshift.com, "Using templates") their controllers do this. The arguments of a run are unknown here, so defaults count.
import type { Path, ScannedDocument, Warning } from '../contract.ts';
import { asFields, type Fields, fieldOf, listOf, textOf } from '../fields.ts';
import { imageKey } from '../key-names.ts';
import { type KubernetesObject, objectOf } from '../walk.ts';
import { planWorkflow } from './argo.ts';
import { fillText, MAY_NAME, NOTHING, type Parameter, type ParameterScope, parametersOf } from './scope.ts';
import { declaredIn, type Given, givenBy, SPECIFICATIONS } from './tekton.ts';

export interface WithParameters {
  readonly documents: readonly ScannedDocument[];
  /** Warnings for what was left out, at most one for each document. */
  readonly warnings: readonly Warning[];
}

/** The document with its parameters filled in, and one more document for each further way in which one of its parts is called. */
export function withParameters(document: ScannedDocument): WithParameters {
  const asItIs: WithParameters = { documents: [document], warnings: [] };
  if (document.source !== undefined && !MAY_NAME.test(document.source)) return asItIs;
  const filler: Filler = { copies: new Map(), settled: new Set(), others: [], cut: [] };
  const value = fill(document.value, { filler, scope: NOTHING, path: [], group: '', given: NOTHING, calls: new Map() });
  const others = filler.others.map((other) => alone(document.value, other));
  for (const entry of filler.settled) for (const copy of filler.copies.get(entry) ?? []) withoutValue(copy);
  const warnings = filler.cut.slice(0, 1).map(({ path, text }) => ({
    file: document.file,
    line: document.lineOf(path),
    text: `${text}: not all of its images are found`,
  }));
  if (value === document.value && others.length === 0) return { ...asItIs, warnings };
  return { documents: [value, ...others].map((one) => ({ ...document, value: one })), warnings };
}

interface Filler {
  /** The copies of each parameter entry in the filled-in documents. */
  readonly copies: Map<object, Record<string, unknown>[]>;
  /** Parameter entries whose values became parts of images. They are not searched for images themselves. */
  readonly settled: Set<object>;
  /** Parts that are called in several ways, filled in for each way except the first. */
  readonly others: { readonly path: Path; readonly value: unknown }[];
  readonly cut: { readonly path: Path; readonly text: string }[];
}

interface At {
  readonly filler: Filler;
  readonly scope: ParameterScope;
  readonly path: Path;
  /** The API group of the innermost enclosing object. */
  readonly group: string;
  /** The arguments for a specification directly below. */
  readonly given: Given;
  /** The templates of the surrounding workflow, with the scopes of their calls. */
  readonly calls: ReadonlyMap<object, readonly ParameterScope[]>;
}

function fill(value: unknown, at: At): unknown {
  const { filler, path } = at;
  if (typeof value === 'string') return at.scope.size === 0 ? value : fillOne(value, at);
  if (typeof value !== 'object' || value === null) return value;
  const [first, ...more] = at.calls.get(value) ?? [at.scope];
  for (const scope of more) filler.others.push({ path, value: fillInside(value, { ...at, scope }) });
  return fillInside(value, { ...at, scope: first ?? at.scope });
}

function fillOne(text: string, { filler, scope, path }: At): string {
  const filled = fillText(text, scope);
  const key = path.findLast((one) => typeof one === 'string');
  const isWhole = typeof key === 'string' && imageKey(key) === 'yes';
  const settled = isWhole ? filled.parameters : filled.parts;
  for (const { entries } of settled) for (const entry of entries) filler.settled.add(entry);
  return filled.text;
}

/** Returns the same object if nothing in it changes. */
function fillInside(value: object, outer: At): unknown {
  if (Array.isArray(value)) {
    const list = value.map((item, index) => fill(item, { ...outer, path: [...outer.path, index], given: NOTHING }));
    return list.every((item, index) => item === value[index]) ? value : list;
  }
  const fields = value as Fields;
  const at = openedAt(fields, outer);
  const isEntry = typeof fields.name === 'string' && typeof outer.path.at(-1) === 'number' && at.scope !== NOTHING;
  const filled = Object.entries(fields).map(
    ([key, item]) => [key, fill(item, { ...at, path: [...at.path, key] })] as const,
  );
  if (!isEntry && filled.every(([key, item]) => item === fields[key])) return value;
  const copy = Object.fromEntries(filled);
  if (isEntry) at.filler.copies.set(value, [...(at.filler.copies.get(value) ?? []), copy]);
  return copy;
}

/** The context inside an object or a specification: with the parameters that it declares. */
function openedAt(fields: Fields, at: At): At {
  const object = objectOf(fields);
  if (object) return openedObject(object, at);
  if (at.group === 'argoproj.io') return at;
  if (!at.group.endsWith('tekton.dev')) return at;
  const prefix = at.group === 'triggers.tekton.dev' ? 'tt.params.' : 'params.';
  const scope = SPECIFICATIONS.has(at.path.at(-1))
    ? declaredIn(fields, at.scope, { given: at.given, prefix })
    : at.scope;
  return { ...at, scope, given: givenBy(fields, scope) };
}

function openedObject({ kind, group, fields }: KubernetesObject, at: At): At {
  const inner: At = { ...at, group, given: NOTHING };
  if (kind === 'Template' && (group === '' || group === 'template.openshift.io')) {
    const parameters = listOf(fields, 'parameters');
    return { ...inner, scope: withEntries(at.scope, parameters, (name) => `\${${name}}`) };
  }
  if (group !== 'argoproj.io') return inner;
  const spec = fieldOf(fields, 'spec');
  if (/AnalysisTemplate$/.test(kind))
    return { ...inner, scope: withEntries(at.scope, listOf(spec, 'args'), (name) => `args.${name}`) };
  const workflow = asFields(kind === 'CronWorkflow' ? fieldOf(spec, 'workflowSpec') : spec);
  if (!/Workflow(?:Template)?$/.test(kind) || !workflow) return inner;
  const { scope, scopes, cut } = planWorkflow(workflow);
  if (cut !== undefined) at.filler.cut.push({ path: at.path, text: cut });
  return { ...inner, scope: new Map([...at.scope, ...scope]), calls: scopes };
}

function withEntries(
  outer: ParameterScope,
  list: readonly unknown[],
  nameIn: (name: string) => string,
): ParameterScope {
  const scope = new Map<string, Parameter>(outer);
  for (const entry of list) {
    const name = textOf(entry, 'name');
    if (name === undefined) continue;
    for (const [key, parameter] of parametersOf(nameIn(name), fieldOf(entry, 'value'), entry as object))
      scope.set(key, parameter);
  }
  return scope;
}

/** Removes the value of a parameter entry: it is a part of an image, or an image that is found at its place of use. */
function withoutValue(entry: Record<string, unknown>): void {
  delete entry.value;
  delete entry.default;
}

/** The document reduced to one part at its path. Of the objects around it only `apiVersion` and `kind` remain. */
function alone(document: unknown, { path, value }: { readonly path: Path; readonly value: unknown }): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const list: unknown[] = [];
    list[key] = alone((document as readonly unknown[])[key], { path: rest, value });
    return list;
  }
  const object = objectOf(document as object);
  const head = object ? { apiVersion: object.apiVersion, kind: object.kind } : {};
  return { ...head, [key]: alone(fieldOf(document, key), { path: rest, value }) };
}
