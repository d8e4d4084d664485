// Values from the command line, merged as Helm does: first files, then single values.
import { ImagesError } from '../../oci/errors.ts';
import { setValues } from './set-values.ts';
import { type Dictionary, dictionary, isDictionary } from './template/values.ts';
import { readYaml } from './template/yaml-values.ts';
import { mergeOver } from './values.ts';

export interface WrittenValues {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** Expressions such as `a.b=c,d=e`. */
  readonly set: readonly string[];
  /** Like `set`, but all values are texts. */
  readonly setString: readonly string[];
}

/** Errors: YAML_INVALID, USAGE. */
export function mergeGivenValues({ files, set, setString }: WrittenValues): Dictionary {
  const values = dictionary();
  for (const { name, text } of files) {
    const read = readYaml(text);
    if (isDictionary(read)) mergeOver(values, read);
    else if (read !== null)
      throw new ImagesError('YAML_INVALID', `not values of a chart [${name}]`, {
        hint: 'A file of values is one map in YAML or JSON.',
      });
  }
  for (const text of set) setValues(values, text);
  for (const text of setString) setValues(values, text, { isString: true });
  return values;
}
