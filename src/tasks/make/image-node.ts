// A node whose containerd takes images by its `ctr`: what a command there says, and what has to be known before images are sent.
import { quote } from '../../io/text/quote.ts';
import { ImagesError } from '../../oci/errors.ts';
import { machinePlatform } from '../../oci/machine-platform.ts';
import { normalisePlatform, type Platform } from '../../oci/platform.ts';
import { type CommandResult, runCommand } from '../overlays/run-command.ts';
import type { Settings } from '../settings.ts';

export interface ImageNode {
  readonly name: string;
  /** The program, with its first arguments, that runs what follows on the node, with its standard input. Empty: the node is this machine. */
  readonly exec: readonly string[];
  /** The program for containerd there, with its first arguments. */
  readonly ctr: readonly string[];
}

export interface NodeState {
  readonly platform: Platform;
  /** What containerd unpacks images with; absent if it does not say so. */
  readonly snapshotter?: string;
  /** The images that are there: names, and the digests they point to. */
  readonly images: ReadonlyMap<string, string>;
}

/** Of Kubernetes: images elsewhere are not there for kubelet. */
export const IN_KUBERNETES = '--namespace=k8s.io';
/** How much is told of what a node has said, in characters. */
const SAID = 300;

/** Errors: UNREACHABLE, with what the node said; UNSUPPORTED (a processor that images have no name for). */
export async function nodeState(node: ImageNode, settings: Settings): Promise<NodeState> {
  const listing = onNode(node, [...node.ctr, IN_KUBERNETES, 'images', 'ls'], settings);
  if (node.exec.length === 0) return { platform: machinePlatform(), images: new Map(listedImages(await listing)) };
  // Each question starts a process in a container, which takes a while: all at once.
  const naming = onNode(node, ['uname', '-m'], settings);
  const configured = configuredSnapshotter(node, settings);
  const answered = Promise.allSettled([naming, configured]);
  const images = new Map(listedImages(await listing.finally(() => answered)));
  const machine = (await naming).trim();
  const architecture = ARCHITECTURES[machine];
  if (architecture === undefined) {
    throw new ImagesError('UNSUPPORTED', `${node.name}: unknown processor [${quote(machine, 40)}]`, {
      hint: `Known are ${Object.keys(ARCHITECTURES).join(', ')}.`,
    });
  }
  const snapshotter = await configured;
  return { platform: normalisePlatform({ os: 'linux', ...architecture }), images, ...(snapshotter && { snapshotter }) };
}

/** `uname -m` → GOARCH, as image configs have it. */
const ARCHITECTURES: Readonly<Record<string, Pick<Platform, 'architecture' | 'variant'>>> = {
  x86_64: { architecture: 'amd64' },
  aarch64: { architecture: 'arm64' },
  armv7l: { architecture: 'arm', variant: 'v7' },
  armv6l: { architecture: 'arm', variant: 'v6' },
  i686: { architecture: '386' },
  ppc64le: { architecture: 'ppc64le' },
  s390x: { architecture: 's390x' },
  riscv64: { architecture: 'riscv64' },
  loongarch64: { architecture: 'loong64' },
};

/** REF TYPE DIGEST …, after a line of titles. */
function* listedImages(text: string): Generator<[string, string]> {
  for (const line of text.split('\n')) {
    const [name, , digest] = line.split(/\s+/);
    if (name && digest?.includes(':')) yield [name, digest];
  }
}

/** `ctr` does not know what CRI is configured with, and would unpack for another. containerd 1.x and 2.x have it in different tables. */
async function configuredSnapshotter(node: ImageNode, settings: Settings): Promise<string | undefined> {
  const dump = await runOnNode(node, ['containerd', 'config', 'dump'], settings);
  if (dump?.status !== 0) return undefined;
  const { parse } = await import('smol-toml');
  try {
    const plugins = at(parse(dump.stdout), 'plugins');
    const found =
      at(at(at(plugins, 'io.containerd.grpc.v1.cri'), 'containerd'), 'snapshotter') ??
      at(at(plugins, 'io.containerd.cri.v1.images'), 'snapshotter');
    return typeof found === 'string' && /^[\w.-]+$/.test(found) ? found : undefined;
  } catch {
    // A newer form: ctr's own choice is most often the same.
    return undefined;
  }
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}

async function runOnNode(
  { exec }: ImageNode,
  command: readonly string[],
  settings: Settings,
): Promise<CommandResult | undefined> {
  const [program = '', ...args] = [...exec, ...command];
  return await runCommand(program, args, settings);
}

async function onNode(node: ImageNode, command: readonly string[], settings: Settings): Promise<string> {
  const result = await runOnNode(node, command, settings);
  if (result?.status === 0) return result.stdout;
  throw nodeFailure(node, command.slice(0, node.ctr.length).join(' '), result?.stderr ?? '');
}

/** The error of a command on a node. `said`: what it wrote on stderr, of which the last lines count. */
export function nodeFailure({ name, exec }: ImageNode, program: string, said: string): ImagesError {
  const last = said.trim().split('\n').slice(-3).join(' ');
  return new ImagesError('UNREACHABLE', `${name}: ${program} failed: ${quote(last, SAID) || 'it said nothing'}`, {
    hint:
      exec.length === 0
        ? 'Does it run, and is this root?'
        : `Does the node run? \`${exec.join(' ')} ${program} version\` shows what is wrong.`,
  });
}
