// The nodes of a kind cluster: containers of docker, podman or nerdctl with kind's label.
import { quote } from '../../io/text/quote.ts';
import { ImagesError } from '../../oci/errors.ts';
import { runCommand } from '../overlays/run-command.ts';
import type { Settings } from '../settings.ts';
import type { ImageNode } from './image-node.ts';

const PROGRAMS: readonly string[] = ['docker', 'podman', 'nerdctl'];
const CLUSTER_LABEL = 'io.x-k8s.kind.cluster';
/** A container of the cluster that is no node: there is no containerd in it. */
const BALANCER = 'io.x-k8s.kind.role=external-load-balancer';

/**
 * The nodes of the cluster, in the first of the programs that knows it; $KIND_EXPERIMENTAL_PROVIDER names the only one that is asked, as with kind. Errors:
 * USAGE (not the name of a cluster), NOT_RUNNING (it has no nodes, with what the programs said).
 */
export async function kindNodes(cluster: string, settings: Settings): Promise<readonly ImageNode[]> {
  if (!/^[a-z0-9.-]{1,200}$/.test(cluster)) {
    throw new ImagesError('USAGE', `not the name of a kind cluster [${quote(cluster, 80)}]`, {
      hint: '`kind get clusters` lists them.',
    });
  }
  const wanted = settings.env.KIND_EXPERIMENTAL_PROVIDER;
  const said: string[] = [];
  for (const program of wanted ? [wanted] : PROGRAMS) {
    const found = await containers(program, `${CLUSTER_LABEL}=${cluster}`, settings);
    if (found.error !== undefined) said.push(`${program}: ${found.error}`);
    if (found.names.length === 0) continue;
    const balancers = await containers(program, BALANCER, settings);
    return found.names
      .filter((name) => !balancers.names.includes(name))
      .map((name) => ({ name, exec: [program, 'exec', '--privileged', '-i', name], ctr: ['ctr'] }));
  }
  const why = said.length === 0 ? '' : `: ${said.join('; ')}`;
  throw new ImagesError('NOT_RUNNING', `no nodes of the kind cluster [${cluster}]${why}`, {
    hint: '`kind get clusters` lists clusters; name one with --kind=NAME. For the k3s of this machine: --k3s.',
  });
}

interface FoundContainers {
  readonly names: readonly string[];
  /** Why the program could not tell. */
  readonly error?: string;
}

/** Also those that do not run: they are told of as failed, rather than left out. */
async function containers(program: string, label: string, settings: Settings): Promise<FoundContainers> {
  const args = ['ps', '--all', '--filter', `label=${label}`, '--format', '{{.Names}}'];
  const result = await runCommand(program, args, settings);
  if (!result) return { names: [], error: 'not found' };
  if (result.status !== 0) return { names: [], error: quote(result.stderr, 200) || `exit ${result.status}` };
  const names = result.stdout.split('\n').map((line) => line.trim());
  return { names: names.filter((name) => /^[a-zA-Z0-9][\w.-]*$/.test(name)).toSorted() };
}
