// `images __complete WORD…`: called by the completion scripts. Prints one candidate in each line, followed by a tab and its description. A line `:files` or `:directories`, a tab
// and a prefix asks for the shell's own completion of paths.
import type { Run } from '../grammar/command.ts';
import { complete, type LookUp, type Sought } from '../grammar/complete.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import type { Context } from '../process/context.ts';

/** In milliseconds: a user does not wait longer for a completion. */
const PATIENCE = 3000;
const MOST = 5000;

export const run: Run = async ({ args, commands, context }) => {
  const { words, paths } = await complete(args, commands, lookUpIn(context));
  const lines = [
    ...words.slice(0, MOST).map(({ word, help }) => (help === undefined ? word : `${word}\t${help}`)),
    ...(paths ? [`:${paths.kind}\t${paths.prefix}`] : []),
  ];
  if (lines.length > 0) await context.out(`${lines.join('\n')}\n`);
  return 0;
};

/** A look-up that fails or takes too long gives no candidates: completion must not print errors. */
function lookUpIn(context: Context): LookUp {
  const signal = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE)]);
  const late = new Promise<readonly string[]>((resolve) => {
    signal.addEventListener('abort', () => resolve([]), { once: true });
  });
  return (sought) => Promise.race([find(sought, { ...context, signal }).catch(() => []), late]);
}

async function find({ what, typed, args }: Sought, context: Context): Promise<readonly string[]> {
  if (what === 'overlays') return await (await import('../../tasks/overlays/overlay-names.ts')).overlayNames(context);
  if (what === 'image-paths') return await imagePaths(args[0] ?? '', typed, context);
  return what === 'images' || what === 'locations' ? await images(context) : [];
}

async function images(context: Context): Promise<readonly string[]> {
  const { listRegistry } = await import('../../tasks/private-registry/list-registry.ts');
  const { openPrivateRegistry } = await import('../../tasks/private-registry/private-registry.ts');
  const { onNote: _, ...settings } = taskSettings(context);
  const repositories = await listRegistry(await openPrivateRegistry(settings), settings);
  return repositories.flatMap(({ name, tags }) => tags.map((tag) => `${name}:${tag}`));
}

/** The entries of the directory that is being typed, with or without a leading slash. Never reads from other registries. */
async function imagePaths(image: string, typed: string, context: Context): Promise<readonly string[]> {
  if (image === '' || image === '-' || image.startsWith('docker://')) return [];
  const { openTree } = await import('../../tasks/transfer/tree-source.ts');
  const { listPath } = await import('../../tasks/look/list-files.ts');
  const { printableName } = await import('../../tar/names.ts');
  const { onNote: _, ...settings } = taskSettings(context);
  await using opened = await openTree({ image, order: 'store' }, settings);
  const directory = typed.slice(0, typed.lastIndexOf('/') + 1);
  return listPath(opened.tree, directory || '/')
    .filter(({ path }) => printableName(path) === path)
    .map(({ path, header }) => {
      const name = path.slice(path.lastIndexOf('/') + 1);
      return `${directory || '/'}${name}${header.type === 'directory' ? '/' : ''}`;
    });
}
