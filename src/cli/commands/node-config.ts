// `images node_config`: the configuration of nodes, written somewhere or shown.
import { ImagesError } from '../../oci/errors.ts';
import {
  ALL_RUNTIMES,
  NODE_FORMATS,
  NODE_RUNTIMES,
  type NodeConfigRequest,
  type NodeFormat,
  nodeOutput,
  nodeRequest,
} from '../../tasks/nodes/node-config.ts';
import { nodeTar, writeNodeFiles } from '../../tasks/nodes/write-node-files.ts';
import type { Invocation, Run } from '../grammar/command.ts';
import type { Options } from '../grammar/options.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { archiveOut, isStdout } from '../out/archive-out.ts';
import { writeJson } from '../out/write-json.ts';
import { formatCount } from '../reporter/format.ts';

export const run: Run = async (invocation) => {
  const { options, context } = invocation;
  if (options.flag('apply') || options.flag('remove')) {
    const { changeNode } = await import('../out/change-node.ts');
    return await changeNode(invocation, requestOf(options));
  }
  const request = await nodeRequest(requestOf(options), taskSettings(context, options));
  if (listed(options, 'runtime').includes('docker') && !request.spoof)
    context.note('docker knows mirrors for docker.io alone: --spoof lets it find the other hosts, too.');
  const output = nodeOutput(request, formatOf(options.text('format')));
  if (options.flag('json')) {
    const files = typeof output === 'string' ? { text: output } : { files: output };
    await writeJson(context, { registry: request.registry, hosts: request.hosts, ...files });
    return 0;
  }
  await write(output, invocation);
  return 0;
};

async function write(output: ReturnType<typeof nodeOutput>, { options, context }: Invocation): Promise<void> {
  const to = options.text('output');
  if (typeof output === 'string') {
    if (to === undefined || isStdout(to)) await context.out(output);
    else await archiveOut(to, 'It')(once(output));
  } else if (to === undefined) {
    for (const { path, content } of output) await context.out(`=== /${path}\n${content}\n`);
  } else if (isStdout(to) || to.endsWith('.tar')) {
    await archiveOut(to, 'The archive')(nodeTar(output));
  } else {
    await writeNodeFiles(output, to);
    context.note(`${formatCount(output.length, 'file')}: ${to}`);
  }
}

/** Errors: USAGE. */
export function requestOf(options: Options): NodeConfigRequest {
  const caFile = options.text('ca');
  const runtimes = listed(options, 'runtime');
  const known = [...NODE_RUNTIMES, 'podman', 'all'];
  const unknown = runtimes.find((runtime) => !known.includes(runtime));
  if (unknown !== undefined) {
    throw new ImagesError('USAGE', `unknown runtime [--runtime=${unknown}]`, { hint: `Known: ${known.join(', ')}.` });
  }
  // podman reads what CRI-O reads.
  const wanted = runtimes.map((runtime) => (runtime === 'podman' ? 'crio' : runtime));
  return {
    registries: listed(options, 'registry'),
    ...(caFile !== undefined && { caFile }),
    runtimes:
      wanted.length === 0 || wanted.includes('all')
        ? ALL_RUNTIMES
        : NODE_RUNTIMES.filter((runtime) => wanted.includes(runtime)),
    hosts: listed(options, 'host'),
    spoof: options.flag('spoof'),
    only: options.flag('only'),
  };
}

export function listed(options: Options, name: string): readonly string[] {
  return options.texts(name).flatMap((text) => text.split(',').filter((part) => part !== ''));
}

/** Errors: USAGE. */
function formatOf(text = 'files'): NodeFormat {
  const format = NODE_FORMATS.find((known) => known === text);
  if (format) return format;
  throw new ImagesError('USAGE', `unknown format [${text}]`, { hint: `There are ${NODE_FORMATS.join(', ')}.` });
}

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
