// Programs of tests that are started many times: Node starts a bundle five times as fast as a hundred source files.
import { rolldown } from 'rolldown';

/** Writes a source file, with all that it imports from the project, as one file. */
export async function bundle(source: string, file: string): Promise<void> {
  await using build = await rolldown({ input: source, platform: 'node' });
  await build.write({ file, format: 'esm', codeSplitting: false });
}
