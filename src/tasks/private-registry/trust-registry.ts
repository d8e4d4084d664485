// `lreg_ca`: the own CA of the embedded registry, and who on a machine trusts it.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  installTrust,
  removeTrust,
  type TrustFile,
  type TrustingClient,
  trustPlan,
  trustStateOf,
} from '../../certificates/trust-store.ts';
import { isFsError } from '../../io/files/fs-errors.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { runCommand } from '../overlays/run-command.ts';
import { callOptions, type Settings } from '../settings.ts';
import { addressOf } from './locate-registry.ts';
import { dataDirectory, runningRegistry } from './registry-state.ts';
import { ownAuthorityFile } from './served-tls.ts';

export const TRUSTING_CLIENTS: readonly TrustingClient[] = ['docker', 'containers', 'containerd', 'system'];

export interface TrustRequest {
  /** `HOST:PORT` under which clients use the registry; default: where it listens with HTTPS. */
  readonly registries: readonly string[];
  /** Default: all that this file system has. Those that are named get it also where nothing of theirs is there yet. */
  readonly clients: readonly TrustingClient[];
  /** The root of the file system: `/`, or that of a VM. */
  readonly root: string;
  readonly what: 'install' | 'remove';
  /** Says what would be done, and does nothing. */
  readonly isDryRun?: boolean;
}

export interface TrustChange {
  /** Written or removed; those that were so already are left out. */
  readonly files: readonly TrustFile[];
  /** Of those to be removed: they hold something else than this CA, perhaps an earlier one, and stay. */
  readonly others: readonly string[];
  /** Commands that could not be run, or failed: somebody has to. */
  readonly commands: readonly string[];
  /** This file system has none of the clients, as far as can be seen. */
  readonly isNobodyThere: boolean;
}

/** The certificate of the own CA, in PEM. Errors: NO_REGISTRY (no registry was started with an own CA), FILE_UNREADABLE. */
export async function registryAuthority(settings: Settings): Promise<string> {
  checkArguments({ settings: [settings, SETTINGS] });
  const file = ownAuthorityFile(dataDirectory(settings));
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (!isFsError(error, 'ENOENT')) throw error;
    throw new ImagesError('NO_REGISTRY', `there is no own CA yet [${file}]`, {
      hint: 'It is made when the registry is first started with HTTPS: images lreg_start --tls=auto.',
    });
  }
}

/**
 * Lets the clients of a file system trust the own CA, or trust it no longer. On this machine the system's commands are run, too. Errors: NO_REGISTRY, USAGE
 * (not an address), CONFIG_INVALID (another CA is there), NO_ACCESS.
 */
export async function changeTrust(request: TrustRequest, settings: Settings): Promise<TrustChange> {
  checkArguments({
    request: [request, objectWith({ registries: TEXTS, clients: TEXTS, root: TEXT, what: TEXT })],
    settings: [settings, SETTINGS],
  });
  const { root, what, isDryRun = false } = request;
  if (!existsSync(root))
    throw new ImagesError('USAGE', `no such directory [${root}]`, { hint: 'Check what --root says.' });
  const certificate = await registryAuthority(settings).catch((error: unknown) => {
    if (what === 'install' || !isImagesError(error, 'NO_REGISTRY')) throw error;
    // Whose the files are cannot be told any more.
    throw new ImagesError('NO_REGISTRY', error.message, {
      hint: `What was installed of it has to be removed by hand: ca.crt and hosts.toml in certs.d/HOST:PORT below ${join(root, 'etc')}, and images-registry.crt among the CAs of the system.`,
      cause: error,
    });
  });
  const clients = request.clients.length > 0 ? request.clients : TRUSTING_CLIENTS;
  const registries = request.registries.length > 0 ? request.registries : listening(settings);
  const whole = await trustPlan({ certificate, registries, clients, root });
  // What is not installed there looks nowhere; but who names a client knows that it will be.
  const plan = { ...whole, files: whole.files.filter(({ basis }) => request.clients.length > 0 || existsSync(basis)) };
  const isNobodyThere = plan.files.length === 0;
  const toRun = what === 'install' ? plan.commands : plan.commandsAfterRemoval;
  const states = await Promise.all(plan.files.map(trustStateOf));
  const others = plan.files.filter((_, at) => what === 'remove' && states[at] === 'different').map(({ path }) => path);
  if (isDryRun) {
    const hasSystem = plan.files.some(({ client }) => client === 'system');
    const run = hasSystem ? toRun.map((command) => command.join(' ')) : [];
    return { files: plan.files, others, commands: run, isNobodyThere };
  }
  const files = await (what === 'install' ? installTrust(plan) : removeTrust(plan));
  const isChanged = files.some(({ client }) => client === 'system');
  const commands: string[] = [];
  for (const [command = '', ...args] of isChanged ? toRun : []) {
    const done =
      root === '/' ? await runCommand(command, args, { env: settings.env, ...callOptions(settings) }) : undefined;
    if (done?.status !== 0) commands.push([command, ...args].join(' '));
  }
  return { files, others, commands, isNobodyThere };
}

function listening(settings: Settings): readonly string[] {
  const state = runningRegistry(dataDirectory(settings), settings);
  const secure = state?.addresses.filter(({ tls }) => tls) ?? [];
  if (secure.length > 0) return secure.map((address) => addressOf(address).host);
  throw new ImagesError('USAGE', 'no registry runs with HTTPS, so it is unknown under which address clients use it', {
    hint: 'Name it: images lreg_ca --install 192.168.0.250:443.',
  });
}
