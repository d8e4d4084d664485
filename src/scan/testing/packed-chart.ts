// Charts as `helm package` packs them.
import { gzipSync } from 'node:zlib';
import { tar } from '../../../test/fixtures/tar.ts';

/** The files by their paths, which begin with the chart's name. */
export function packedChart(files: Readonly<Record<string, string | Uint8Array>>): Uint8Array {
  return gzipSync(tar(Object.entries(files).map(([name, data]) => ({ name, data }))));
}
