// `--values FILE`, `--set K=V`: values from the user for the charts among the items. Relies on scan/helm/given-values.ts.
import { readFile } from 'node:fs/promises';
import { translateFsError } from '../../io/files/fs-errors.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { GivenValues } from '../../scan/contract.ts';

export interface ChartValues {
  /** Paths of files with values. */
  readonly files: readonly string[];
  readonly set: readonly string[];
  readonly setString: readonly string[];
}

export interface ChartValuesInUse extends GivenValues {
  /** Errors: USAGE if no chart used the values. */
  check(): void;
}

/** Errors: NO_ACCESS, YAML_INVALID, USAGE; the system's for a path that is no file (ENOENT, EISDIR). */
export async function readChartValues({ files, set, setString }: ChartValues): Promise<ChartValuesInUse> {
  const { mergeGivenValues } = await import('../../scan/helm/given-values.ts');
  const texts = await Promise.all(
    files.map(async (name) => {
      try {
        return { name, text: await readFile(name, 'utf8') };
      } catch (error) {
        throw translateFsError(error, name);
      }
    }),
  );
  let charts = 0;
  return {
    values: mergeGivenValues({ files: texts, set, setString }),
    onChart: () => {
      charts++;
    },
    check: () => {
      if (charts > 0) return;
      throw new ImagesError(
        'USAGE',
        `there is no chart to take the values [${[...files, ...set, ...setString].join(' ')}]`,
        {
          hint: 'Values are for charts: a directory with a Chart.yaml, or a packed chart, among or below the items.',
        },
      );
    },
  };
}
