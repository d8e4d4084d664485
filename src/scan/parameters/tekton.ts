// Tekton's parameters. Tasks, pipelines and step actions declare them with defaults; runs and the tasks of a pipeline give their values
// (tekton.dev/docs/pipelines/tasks, "Specifying Parameters"); those of trigger templates (tekton.dev/docs/triggers/triggertemplates).
import { type Fields, fieldOf, listOf, textOf } from '../fields.ts';
import { fillText, type Parameter, type ParameterScope, parametersOf } from './scope.ts';

/** The arguments that an object, or a task of a pipeline, passes to the specification inside it. */
export type Given = ReadonlyMap<string, Parameter>;

/** Keys whose value may declare parameters. */
export const SPECIFICATIONS: ReadonlySet<unknown> = new Set(['spec', 'taskSpec', 'pipelineSpec']);

/** The scope inside a specification: its own parameters shadow outer ones, and given values outweigh defaults. */
export function declaredIn(
  spec: Fields,
  outer: ParameterScope,
  { given, prefix }: { readonly given: Given; readonly prefix: string },
): ParameterScope {
  const scope = new Map(outer);
  for (const entry of [...listOf(spec, 'params'), ...listOf(fieldOf(spec, 'inputs'), 'params')]) {
    const name = textOf(entry, 'name');
    if (name === undefined) continue;
    const value = fieldOf(entry, 'value') ?? fieldOf(entry, 'default');
    for (const [key, parameter] of parametersOf(`${prefix}${name}`, value, entry as object)) scope.set(key, parameter);
  }
  for (const [key, parameter] of given) scope.set(key, parameter);
  return scope;
}

/** The values in `params:`, with the parameters of the surrounding scope filled in. */
export function givenBy(holder: Fields, scope: ParameterScope): Given {
  const given = new Map<string, Parameter>();
  for (const entry of listOf(holder, 'params')) {
    const name = textOf(entry, 'name');
    if (name === undefined) continue;
    for (const [key, { text = '', entries }] of parametersOf(
      `params.${name}`,
      fieldOf(entry, 'value'),
      entry as object,
    )) {
      const filled = fillText(text, scope);
      const all = [...entries, ...filled.parameters.flatMap((parameter) => parameter.entries)];
      given.set(key, { text: filled.isOpen ? undefined : filled.text, entries: all });
    }
  }
  return given;
}
