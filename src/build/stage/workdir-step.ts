// WORKDIR: the directory, created if it is missing and owned by the stage's user.
import { isImagesError } from '../../oci/errors.ts';
import { normalised } from '../files/globs.ts';
import { layerArchiveWriter } from '../files/layer-archive.ts';
import { hasNames, userOf } from '../files/owners.ts';
import { createTarget } from '../files/target.ts';
import { createCopyPlan } from '../files/write-copies.ts';
import type { Of, Step } from './build.ts';
import { layerStep, type StepResult } from './layer-step.ts';
import { accountsOf, treeOf } from './state.ts';
import { expanded } from './variables.ts';
import { withPosition } from './with-position.ts';

export interface WorkdirResult extends StepResult {
  /** Absolute. */
  readonly path: string;
}

export async function workdirStep(step: Step, instruction: Of<'workdir'>): Promise<WorkdirResult> {
  const { build, state, variables, settings } = step;
  const { statement } = instruction;
  const given = expanded(statement, instruction.value, variables);
  // An empty path is the current directory, as in BuildKit.
  if (given !== '' && !given.startsWith('/') && !state.hasWorkdir) {
    build.warn(
      `${statement.source.name}:${instruction.range.first}: WORKDIR ${given} depends on where the base stands: write an absolute path`,
    );
  }
  const path = `/${normalised(given.startsWith('/') ? given : `${state.config.inner.WorkingDir ?? '/'}/${given}`)}`;
  if (path === '/') return { layer: undefined, id: '', cached: true, why: 'no-change', path };
  const user = state.config.inner.User ?? '';
  const key = ['workdir', 2, state.layers.map(({ id }) => id), path, user];
  const result = await layerStep(key, settings, async () => {
    const accounts = hasNames(user) ? await accountsOf(state.layers, build.call) : { users: [], groups: [] };
    const { uid, gid } = userOf(user, accounts);
    // A numeric user that is not looked up has the group with the same number, as in BuildKit.
    const named = hasNames(user) || user.includes(':') ? { uid, gid } : { uid, gid: uid };
    const owner = user === '' ? undefined : named;
    const plan = createCopyPlan();
    const target = createTarget(await treeOf(state.layers, build.call), plan.collect);
    try {
      target.makeDirectories(normalised(path), { mode: 0o755, owner, time: build.times.made });
    } catch (error) {
      throw isImagesError(error, 'TAR_INVALID') ? withPosition(statement, undefined, error) : error;
    }
    const archive = layerArchiveWriter(build.times.of);
    async function* bytes(): AsyncGenerator<Uint8Array> {
      yield* plan.write(archive, build.call);
      yield* archive.finish();
    }
    if (plan.isEmpty()) return undefined;
    return { archive: bytes(), index: archive.index, isEmpty: () => false };
  });
  return { ...result, path };
}
