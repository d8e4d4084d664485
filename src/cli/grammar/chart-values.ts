// The options `--values`, `--set` and `--set-string` as the tasks take them.
import type { ChartValues } from '../../tasks/overlays/chart-values.ts';
import type { Options } from './options.ts';

/** A part of a request; empty where none of them is given. */
export function chartValues(options: Options): { readonly chartValues?: ChartValues } {
  const [files, set, setString] = [options.texts('values'), options.texts('set'), options.texts('set-string')];
  return files.length + set.length + setString.length === 0 ? {} : { chartValues: { files, set, setString } };
}
