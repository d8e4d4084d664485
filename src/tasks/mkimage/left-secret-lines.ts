// Secrets that a build has left in the layers of its image, although a later layer removes or replaces them.
import { createHash } from 'node:crypto';
import type { LeftSecret } from '../../build/left-secrets.ts';
import type { BuiltImage } from '../../build/request.ts';
import * as decode from '../../oci/decode.ts';
import { digestOf } from '../../oci/digest.ts';
import { buildSteps } from '../../storage/builds/build-steps.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import { printableName } from '../../tar/names.ts';
import { callOptions, type TaskCall } from '../settings.ts';

/** A warning for each of them. */
export async function leftSecretLines(
  built: BuiltImage,
  secrets: ReadonlyMap<string, Uint8Array>,
  store: EmbeddedStore,
  settings: TaskCall,
): Promise<readonly string[]> {
  return (await secretsIn(built, secrets, store, settings)).map(secretLine);
}

function secretLine({ path, what, instruction }: LeftSecret): string {
  return `${what} is still in the image although /${printableName(path)} is gone: ${instruction} left it in its layer`;
}

/** Secrets that are left in the layers. The result for the same layers is cached. */
async function secretsIn(
  built: BuiltImage,
  secrets: ReadonlyMap<string, Uint8Array>,
  { objects }: EmbeddedStore,
  settings: TaskCall,
): Promise<readonly LeftSecret[]> {
  if (built.layers.filter(({ isNew }) => isNew).length < 2) return [];
  const key = createHash('sha256').update('secrets 1');
  for (const { diffId, isNew, instruction } of built.layers) key.update(JSON.stringify([diffId, isNew, instruction]));
  for (const [name, value] of secrets) key.update(JSON.stringify([name, digestOf(value)]));
  const name = key.digest('hex');
  const steps = buildSteps(objects);
  const known = await steps.get(name);
  const secretsFound = known && decodeSecrets(known);
  if (secretsFound) return secretsFound;
  const { leftSecrets } = await import('../../build/left-secrets.ts');
  const found = await leftSecrets(built, secrets, callOptions(settings));
  await steps.put(name, Buffer.from(JSON.stringify(found)));
  return found;
}

/** Returns `undefined` for an entry that was damaged, for instance by a power failure. */
function decodeSecrets(bytes: Uint8Array): readonly LeftSecret[] | undefined {
  try {
    return decode.array(decode.parseJson(bytes, 'secrets'), 'secrets').map((value) => {
      const fields = decode.object(value, 'secret');
      return {
        path: decode.string(fields.path, 'path'),
        what: decode.string(fields.what, 'what'),
        instruction: decode.string(fields.instruction, 'instruction'),
      };
    });
  } catch {
    return undefined;
  }
}
