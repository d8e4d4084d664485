// Converts the options `--values`, `--set` and `--set-string` for tasks.
import type { ChartValues } from '../../tasks/overlays/chart-values.ts';
import type { Options } from './options.ts';

/** A part of a request; empty if none of the options is given. */
export function chartValues(options: Options): { readonly chartValues?: ChartValues } {
  const [files, set, setString] = [options.texts('values'), options.texts('set'), options.texts('set-string')];
  return files.length + set.length + setString.length === 0 ? {} : { chartValues: { files, set, setString } };
}
