// `lreg_service`: the embedded registry as a service of systemd, of a user or of the system.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeFileAtomically } from '../../io/files/atomic-file.ts';
import { translatingFsErrors } from '../../io/files/fs-errors.ts';
import { readIfThere } from '../../io/files/read-config-file.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { ImagesError } from '../../oci/errors.ts';
import { type ListenAddress, parseListenAddress } from '../../server/address.ts';
import { SETTINGS, TEXTS } from '../arguments.ts';
import { runCommand } from '../overlays/run-command.ts';
import { callOptions, type Settings } from '../settings.ts';
import { DEFAULT_LISTEN } from './config-keys.ts';
import { readRegistryToml } from './registry-config.ts';
import { dataDirectory } from './registry-state.ts';
import { checkServingOptions, drainTime, tlsSettings } from './served-options.ts';
import { withTls } from './served-tls.ts';
import {
  SERVICE_MARK,
  SERVICE_UNIT,
  type ServiceFile,
  type ServiceUnits,
  SOCKET_UNITS,
  SYSTEM_DATA,
  SYSUSERS_FILE,
  serviceFiles,
} from './service-units.ts';
import { type ServingOptions, servingArguments } from './serving-options.ts';

export interface ServiceRequest extends ServingOptions {
  readonly listen: readonly string[];
  /** Of the system, which root writes; else of the user. */
  readonly isSystem: boolean;
  /** The command that starts the program `images`, as for `startRegistry`; the first is an absolute path. */
  readonly program: readonly [string, ...string[]];
  /** The root of the file system: `/`, or that of a VM. */
  readonly root: string;
  readonly what: 'print' | 'install' | 'remove';
}

export interface RegistryService {
  /** Written or removed, in this order; with `print`, those that would be written. */
  readonly files: readonly ServiceFile[];
  /** Commands that were run. */
  readonly done: readonly string[];
  /** Commands that could not be run, or failed: somebody has to. */
  readonly toDo: readonly string[];
}

/** Ports for clients that name none, by HTTP and by HTTPS. */
const SYSTEM_LISTEN = [':80', 'https://:443'];

/** Writes and enables the units by which systemd runs the embedded registry, removes them, or says what they would be. Errors: USAGE, CONFIG_INVALID, FILE_UNREADABLE (the configuration), NO_ACCESS, READ_ONLY (the units), CONFIG_INVALID (a unit of somebody else has the name). */
export async function registryService(request: ServiceRequest, settings: Settings): Promise<RegistryService> {
  checkArguments({
    request: [request, objectWith({ listen: TEXTS, program: TEXTS, root: TEXT, what: TEXT })],
    settings: [settings, SETTINGS],
  });
  const { isSystem, root, what } = request;
  if (!isSystem && root !== '/') {
    throw new ImagesError('USAGE', 'a service of a user is in the home of that user', {
      hint: 'Leave --root out, or add --system.',
    });
  }
  if (what === 'remove') return await removed(request, settings);
  const files = serviceFiles(await unitsFor(request, settings));
  if (what === 'print') return { files, done: [], toDo: [] };
  const placed = files.map((file) => ({ ...file, path: join(root, file.path) }));
  const before = new Map<string, string | undefined>();
  for (const { path } of placed) before.set(path, await ownText(path));
  for (const { path, text } of placed) await writeFileAtomically(path, text, { mode: 0o644 });
  const gone = await removeFiles(unitPaths(request, settings).filter((path) => !before.has(path)));
  const sockets = placed.map(({ path }) => basename(path)).filter((name) => name.endsWith('.socket'));
  const isMoved = placed.some(({ path, text }) => path.endsWith('.socket') && before.get(path) !== text);
  const control = [...(isSystem ? [] : ['--user']), ...(root === '/' ? [] : [`--root=${root}`])];
  const isRunning = root === '/' && existsSync('/run/systemd/system');
  const commands = [
    ...(isSystem ? [['systemd-sysusers', ...(root === '/' ? [] : [`--root=${root}`]), basename(SYSUSERS_FILE)]] : []),
    ...(isRunning ? [['systemctl', ...control, 'daemon-reload']] : []),
    ['systemctl', ...control, 'enable', ...sockets, SERVICE_UNIT],
    // A socket cannot be bound anew while its service runs.
    ...(isRunning && (isMoved || gone.length > 0) ? [['systemctl', ...control, 'stop', SERVICE_UNIT]] : []),
    ...(isRunning ? [['systemctl', ...control, isMoved ? 'restart' : 'start', ...sockets]] : []),
    ...(isRunning ? [['systemctl', ...control, 'restart', SERVICE_UNIT]] : []),
  ];
  return { files: placed, ...(await runAll(commands, settings)) };
}

async function unitsFor(request: ServiceRequest, settings: Settings): Promise<ServiceUnits> {
  checkServingOptions(request);
  const { isSystem, program } = request;
  const config = settings.config === undefined ? undefined : resolve(settings.config);
  const data = resolve(isSystem ? (settings.data ?? SYSTEM_DATA) : dataDirectory(settings));
  const registryToml = await readRegistryToml(data, config);
  const { listen: configured, tls: configuredTls } = registryToml;
  const drain = drainTime(request, registryToml);
  const usual = isSystem ? SYSTEM_LISTEN : [DEFAULT_LISTEN];
  const wanted = [request.listen, configured ?? [], usual].find((some) => some.length > 0) ?? [];
  const parsed = wanted.map(parseListenAddress);
  const said = tlsSettings(request, configuredTls);
  // Who says only that there is HTTPS gets certificates of an own CA.
  const isAuto = parsed.some(({ tls }) => tls) && said.tls === undefined && said.tlsCertificate === undefined;
  const tls = isAuto ? { ...said, tls: 'auto' } : said;
  const listen: readonly ListenAddress[] = withTls(parsed, tls);
  const { listen: _, ...others } = request;
  const options = servingArguments({ ...others, ...(isAuto && { tls: 'auto' }) });
  const [interpreter, ...script] = program;
  return {
    command: [
      interpreter,
      ...script,
      'serve',
      `--data=${data}`,
      ...(config === undefined ? [] : [`--config=${config}`]),
      ...options,
    ],
    listen,
    data,
    reads: [config, tls.tlsCertificate, tls.tlsKey].flatMap((file) => (file === undefined ? [] : [resolve(file)])),
    directory: unitDirectory(request, settings),
    isSystem,
    ...(drain !== undefined && { drain }),
  };
}

function unitDirectory({ isSystem }: ServiceRequest, { env, home }: Settings): string {
  if (isSystem) return '/etc/systemd/system';
  const config = env.XDG_CONFIG_HOME || (home && join(home, '.config'));
  if (config) return join(config, 'systemd/user');
  throw new ImagesError('USAGE', 'this user has no home for units', { hint: 'Add --system, as root.' });
}

/** All that there may be. */
function unitPaths(request: ServiceRequest, settings: Settings): readonly string[] {
  const directory = join(request.root, unitDirectory(request, settings));
  const units = [SERVICE_UNIT, ...Object.values(SOCKET_UNITS)].map((name) => join(directory, name));
  return request.isSystem ? [...units, join(request.root, SYSUSERS_FILE)] : units;
}

/** The user `images` and the data stay. */
async function removed(request: ServiceRequest, settings: Settings): Promise<RegistryService> {
  const { isSystem, root } = request;
  const control = [...(isSystem ? [] : ['--user']), ...(root === '/' ? [] : [`--root=${root}`])];
  const isRunning = root === '/' && existsSync('/run/systemd/system');
  const paths: string[] = [];
  for (const path of unitPaths(request, settings)) if ((await ownText(path)) !== undefined) paths.push(path);
  if (paths.length === 0) return { files: [], done: [], toDo: [] };
  const units = paths.map((path) => basename(path)).filter((name) => /\.(?:service|socket)$/.test(name));
  const disabled = await runAll(
    [['systemctl', ...control, 'disable', ...(isRunning ? ['--now'] : []), ...units]],
    settings,
  );
  const files = await removeFiles(paths);
  const reloaded = await runAll(isRunning ? [['systemctl', ...control, 'daemon-reload']] : [], settings);
  return { files, done: [...disabled.done, ...reloaded.done], toDo: [...disabled.toDo, ...reloaded.toDo] };
}

async function removeFiles(paths: readonly string[]): Promise<readonly ServiceFile[]> {
  const files: ServiceFile[] = [];
  for (const path of paths) {
    const text = await ownText(path);
    if (text === undefined) continue;
    await translatingFsErrors(path, () => rm(path));
    files.push({ path, text });
  }
  return files;
}

/** `undefined` if there is no such file. Errors: CONFIG_INVALID (it is somebody else's). */
async function ownText(path: string): Promise<string | undefined> {
  const text = await readIfThere(path);
  if (text === undefined || text.startsWith(SERVICE_MARK)) return text;
  throw new ImagesError('CONFIG_INVALID', `there is a unit that is not ours [${path}]`, {
    hint: 'Move it away: `images lreg_service --print` shows what would be written.',
  });
}

async function runAll(
  commands: readonly (readonly string[])[],
  settings: Settings,
): Promise<Pick<RegistryService, 'done' | 'toDo'>> {
  const done: string[] = [];
  const toDo: string[] = [];
  for (const command of commands) {
    const [program = '', ...args] = command;
    // What follows needs what went before.
    const ran =
      toDo.length > 0 ? undefined : await runCommand(program, args, { env: settings.env, ...callOptions(settings) });
    (ran?.status === 0 ? done : toDo).push(command.join(' '));
  }
  return { done, toDo };
}
