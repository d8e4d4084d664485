// `node_check`: what the runtimes of a node read, whom they ask, what is wrong with that, and by test pulls whether they get what the private registry has.

import { quote } from '../../io/text/quote.ts';
import { clockFindings } from '../../nodes/check/check-clock.ts';
import { checkNode } from '../../nodes/check/check-node.ts';
import { CHECKED_HOSTS, type NodeFinding, type RuntimeCheck } from '../../nodes/check/contract.ts';
import { parseProbe } from '../../nodes/check/probe-answer.ts';
import { PROBE_SCRIPT } from '../../nodes/check/probe-script.ts';
import { parsePulls, pullPrograms, pullScript, type TestPull } from '../../nodes/check/pull-script.ts';
import type { NodeRegistry } from '../../nodes/node-file.ts';
import { checkArguments, objectWith } from '../../oci/arguments.ts';
import { isImagesError } from '../../oci/errors.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { openPrivateRegistry } from '../private-registry/private-registry.ts';
import type { Settings } from '../settings.ts';
import { nodeRegistry, type RegistryChoice } from './node-registry.ts';
import { runOnNode } from './run-on-node.ts';
import { putTestImage } from './test-image.ts';

/** In milliseconds. The script for pulls gives each of them a minute. */
const [LIMIT, PULLS_LIMIT] = [5 * 60_000, 30 * 60_000];

export interface NodeCheckRequest extends RegistryChoice {
  /** A command that runs what follows it on the node: `ssh vm1`. Default: this machine. */
  readonly exec?: string;
  /** Pulls an image that only the private registry has, under the name of each host. */
  readonly pull?: boolean;
}

export interface NodeCheck {
  /** Of which it is told whether it is asked; absent if its address is not known. */
  readonly registry?: NodeRegistry;
  readonly runtimes: readonly RuntimeCheck[];
  readonly pulls: readonly TestPull[];
  /** Files, and directories with a `/` at their end, that could not be read: who asks may not, or they are too large. */
  readonly unreadable: readonly string[];
}

/** Changes nothing on the node, but for the image that is pulled and removed again. Errors: USAGE, UNREACHABLE, BAD_ANSWER, UNSUPPORTED (it lacks the simplest programs), NO_REGISTRY (a test pull), those of a push. */
export async function checkNodeConfig(request: NodeCheckRequest, settings: Settings): Promise<NodeCheck> {
  checkArguments({ request: [request, objectWith({ registries: TEXTS })], settings: [settings, SETTINGS] });
  const registry = await knownRegistry(request, settings);
  const facts = parseProbe(await runOnNode({ script: PROBE_SCRIPT, limit: LIMIT }, request.exec, settings));
  const runtimes = checkNode(facts, registry);
  const pulls = request.pull ? await testPulls(runtimes, request, settings) : [];
  const clock = clockFindings(facts.clock, Date.now() / 1000, registry);
  const checked = runtimes.map((check) => ({
    ...check,
    findings: [...check.findings, ...clock, ...failures(check, pulls)],
  }));
  return { ...(registry && { registry }), runtimes: checked, pulls, unreadable: facts.unreadable };
}

/** Without one, what the node does can be told all the same. */
async function knownRegistry(request: NodeCheckRequest, settings: Settings): Promise<NodeRegistry | undefined> {
  try {
    return await nodeRegistry(request, settings);
  } catch (error) {
    const isUnknown = isImagesError(error, 'NO_REGISTRY', 'NOT_RUNNING', 'ADDRESS_UNAVAILABLE');
    if (!isUnknown || request.registries.length > 0) throw error;
    settings.onNote?.(`Whether nodes ask the private registry cannot be told: ${error.message}.`);
    return undefined;
  }
}

async function testPulls(
  runtimes: readonly RuntimeCheck[],
  { exec }: NodeCheckRequest,
  settings: Settings,
): Promise<readonly TestPull[]> {
  if (runtimes.length === 0) return [];
  await using image = await putTestImage(await openPrivateRegistry(settings), settings);
  const script = pullScript(runtimes, image.name);
  const pulls = parsePulls(await runOnNode({ script, limit: PULLS_LIMIT }, exec, settings));
  for (const { runtime, asks } of runtimes) {
    const isTried = Object.keys(asks).length === 0 || pulls.some((pull) => pull.runtime === runtime);
    if (!isTried) settings.onNote?.(`No test pull for ${runtime}: there is no ${pullPrograms(runtime).join(' or ')}.`);
  }
  return pulls.map((pull) => ({ ...pull, ...(pull.error !== undefined && { error: quote(pull.error, 400) }) }));
}

function failures({ runtime }: RuntimeCheck, pulls: readonly TestPull[]): readonly NodeFinding[] {
  const failed = pulls.filter((pull) => pull.runtime === runtime && !pull.isPulled);
  const hosts = CHECKED_HOSTS.filter((host) => failed.some((pull) => pull.host === host));
  if (hosts.length === 0) return [];
  return [
    {
      what: `it does not get what the private registry has for ${hosts.join(', ')}: ${failed[0]?.error ?? ''}`.trimEnd(),
      mend: 'Does the node reach it (curl http://ADDRESS/v2/)? Was the runtime restarted since config.toml or daemon.json changed?',
    },
  ];
}
