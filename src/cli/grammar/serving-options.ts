// The options of `serve` and `lreg_start` that have a key in registry.toml.
import { ImagesError } from '../../oci/errors.ts';
import { SERVING_OPTIONS, type ServingOption } from '../../tasks/private-registry/config-keys.ts';
import type { ServingOptions } from '../../tasks/private-registry/serving-options.ts';
import type { Options } from './options.ts';

/** What most values mean is checked by the task. Errors: USAGE. */
export function givenServingOptions(given: Options): ServingOptions & { readonly listen: readonly string[] } {
  const fields = SERVING_OPTIONS.flatMap((option) => {
    const value = givenValue(option, given);
    return value === undefined ? [] : [[option.field, value]];
  });
  return { listen: [], ...(Object.fromEntries(fields) as ServingOptions) };
}

function givenValue({ name, kind, values }: ServingOption, given: Options): unknown {
  const texts = given.texts(name);
  const parts = texts.flatMap((text) => text.split(',')).map((text) => text.trim());
  switch (kind) {
    case 'switch':
      return given.flag(name) || undefined;
    case 'texts':
      return texts.length > 0 ? texts : undefined;
    case 'list':
      return parts.length > 0 ? parts : undefined;
    case 'hosts':
      return given.flag(name) || texts.length > 0 ? parts.filter((part) => part !== '') : undefined;
    default: {
      const text = texts.at(-1);
      if (text !== undefined && values?.includes(text) === false) {
        throw new ImagesError('USAGE', `neither of ${values.join(' and ')} [--${name}=${text}]`, {
          hint: `Write ${values.map((value) => `--${name}=${value}`).join(' or ')}.`,
        });
      }
      return text;
    }
  }
}
