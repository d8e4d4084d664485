// `images node_config --apply` and `--remove`: shows what would be written, asks, and does it.
import { ImagesError } from '../../oci/errors.ts';
import {
  applyNodeConfig,
  type NodeChanges,
  removeNodeConfig,
  runtimesThere,
} from '../../tasks/nodes/apply-node-config.ts';
import { type NodeConfigRequest, nodeRequest } from '../../tasks/nodes/node-config.ts';
import type { NodeChange } from '../../tasks/nodes/node-steps.ts';
import type { Invocation } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { askOnTerminal } from '../process/ask.ts';
import { formatCount } from '../reporter/format.ts';
import { writeJson } from './write-json.ts';

export async function changeNode({ options, context }: Invocation, given: NodeConfigRequest): Promise<number> {
  const isRemoving = options.flag('remove');
  if (isRemoving && options.flag('apply')) throw new ImagesError('USAGE', 'either --apply or --remove');
  if (options.text('output') !== undefined) {
    throw new ImagesError('USAGE', '--output writes elsewhere, --apply and --remove change this machine');
  }
  const root = options.text('root') ?? '/';
  const runtimes = options.texts('runtime').length > 0 ? given.runtimes : runtimesThere(root);
  if (runtimes.length === 0 && !isRemoving) {
    throw new ImagesError('USAGE', `no runtime is there [${root}]`, { hint: 'Name it: --runtime=containerd.' });
  }
  const request = isRemoving ? undefined : await nodeRequest({ ...given, runtimes }, taskSettings(context, options));
  const done = async (isDryRun: boolean): Promise<NodeChanges> => {
    const how = { root, isDryRun };
    return request ? await applyNodeConfig(request, how) : await removeNodeConfig(how);
  };
  const isDryRun = options.flag('dry-run');
  const planned = await done(true);
  const isJson = options.flag('json');
  if (!isJson) for (const one of planned.changes) context.note(line(one));
  const count = planned.changes.filter(({ what }) => what !== 'stays').length;
  if (count === 0) context.note('There is nothing to do.');
  else if (!isDryRun && !options.flag('yes')) {
    const question = `Change ${count === 1 ? 'this file' : `these ${formatCount(count, 'file')}`}?`;
    const answer = await askOnTerminal(context, question);
    if (answer === undefined) {
      throw new ImagesError('USAGE', `${formatCount(count, 'file')} would change, and nobody can be asked`, {
        hint: '--yes changes them; --dry-run shows them.',
      });
    }
    if (!answer) return 1;
  }
  const result = isDryRun || count === 0 ? planned : await done(false);
  if (isJson) await writeJson(context, { ...(isDryRun && { dryRun: true }), ...result });
  else for (const command of result.commands) context.note(`To be run there: ${command}`);
  return result.changes.some(({ what }) => what === 'stays') ? 1 : 0;
}

const WORDS: Readonly<Record<NodeChange['what'], string>> = {
  write: 'Write',
  change: 'Change',
  restore: 'Put back',
  remove: 'Remove',
  stays: 'Stays as it is',
};

function line({ path, what, why }: NodeChange): string {
  return `${WORDS[what]}: ${path}${why === undefined ? '' : ` (${why})`}`;
}
