// All functions that Helm gives its templates: those of Go's text/template, of Sprig 3.3 (except `hello` and `shuffle`), and Helm's own.
// A function with an unknown argument returns UNKNOWN, except those that only pass texts on.
import type { TemplateFunction } from '../template/engine.ts';
import { isUnknown, UNKNOWN } from '../template/values.ts';
import { collectionFunctions } from './collections.ts';
import { encodingFunctions } from './encoding.ts';
import { helmFunctions } from './helm.ts';
import { logicFunctions } from './logic.ts';
import { numberFunctions } from './numbers.ts';
import { regexFunctions } from './regex.ts';
import { stringFunctions } from './strings.ts';

/** Functions that accept an unknown argument: their result still contains the mark, where it matters. */
const CARRIERS: ReadonlySet<string> = new Set(
  (
    'print println printf quote squote cat join indent nindent trim trimSuffix trimPrefix trimAll toString lower upper title replace ' +
    'list tuple dict set get unset hasKey keys values pick omit merge mergeOverwrite mustMerge mustMergeOverwrite deepCopy mustDeepCopy dig ' +
    'append mustAppend prepend mustPrepend concat first last rest initial index slice uniq mustUniq compact has ' +
    'default coalesce include tpl required fail lookup toYaml toYamlPretty toJson mustToJson toPrettyJson len until kindIs typeOf kindOf'
  ).split(' '),
);

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(
  Object.entries({
    ...stringFunctions,
    ...regexFunctions,
    ...numberFunctions,
    ...collectionFunctions,
    ...encodingFunctions,
    ...logicFunctions,
    ...helmFunctions,
  }).map(([name, run]) => [name, CARRIERS.has(name) ? run : strict(run)]),
);

function strict(run: TemplateFunction): TemplateFunction {
  return (args, engine) => (args.some(isUnknown) ? UNKNOWN : run(args, engine));
}
