// `images lreg_rm`. Names are removed as they are; of patterns it shows what goes, and asks.
import { parseAge } from '../../io/text/age.ts';
import { ImagesError } from '../../oci/errors.ts';
import { formatReference, parseReference, type Reference } from '../../oci/reference.ts';
import { withoutQuotes } from '../../tasks/overlays/reference-list.ts';
import {
  type ChosenImage,
  chooseImages,
  isImagePattern,
  stillOld,
} from '../../tasks/private-registry/choose-images.ts';
import { openPrivateRegistry } from '../../tasks/private-registry/private-registry.ts';
import { checkRemoval, removeImages } from '../../tasks/private-registry/remove-image.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { outLines } from '../out/out-lines.ts';
import { writeJson } from '../out/write-json.ts';
import { askOnTerminal } from '../process/ask.ts';
import type { Context } from '../process/context.ts';
import { formatCount } from '../reporter/format.ts';

export const run: Run = async ({ args, options, context }) => {
  const settings = taskSettings(context, options);
  const names = args.map(withoutQuotes);
  const age = options.text('older-than');
  const dryRun = options.flag('dry-run');
  const isChoice = age !== undefined || names.some(isImagePattern);
  // Names alone are taken as they are, so they are looked at before anything else.
  const named = isChoice ? undefined : names.map((name) => ({ reference: parseReference(name) }));
  const olderThanMs = age === undefined ? undefined : parseAge(age, '--older-than');
  const registry = await openPrivateRegistry(settings);
  const all: readonly ChosenImage[] =
    named ?? (await chooseImages({ names, ...(olderThanMs !== undefined && { olderThanMs }) }, registry, settings));
  const force = options.flag('force');
  const pinned = force ? [] : all.filter(({ isPinned }) => isPinned);
  let chosen: readonly ChosenImage[] = all.filter((image) => !pinned.includes(image));
  for (const image of pinned) context.note(`Stays, because it is pinned: ${described(image)}`);
  if (dryRun) await checkRemoval(referencesOf(chosen), registry, settings, { force });
  if (!dryRun && chosen.length > 0 && names.some(isImagePattern) && !options.flag('yes')) {
    if (!(await isAllowed(chosen, context))) return 1;
    chosen = await stillOld(chosen, registry, settings);
  }
  const removed = referencesOf(chosen);
  if (!dryRun && removed.length > 0) await removeImages(removed, registry, settings, { force });
  if (options.flag('json'))
    await writeJson(context, {
      ...(dryRun && { dryRun }),
      removed: removed.map(formatReference),
      ...(pinned.length > 0 && { pinned: referencesOf(pinned).map(formatReference) }),
    });
  else if (dryRun || isChoice) {
    const verb = dryRun ? 'Would remove' : 'Removed';
    if (all.length === 0) context.note('Nothing matches.');
    else await outLines(context, chosen, (image) => `${verb} ${described(image)}`);
  }
  return 0;
};

function referencesOf(images: readonly ChosenImage[]): readonly Reference[] {
  return images.map(({ reference }) => reference);
}

/** Errors: USAGE (nobody can be asked). */
async function isAllowed(chosen: readonly ChosenImage[], context: Context): Promise<boolean> {
  const many = formatCount(chosen.length, 'image');
  if (context.stderr.isTTY) for (const image of chosen) context.note(`  ${described(image)}`);
  const answer = await askOnTerminal(context, `Remove ${chosen.length === 1 ? 'this image' : `these ${many}`}?`);
  if (answer !== undefined) return answer;
  throw new ImagesError('USAGE', `${many} would go, and nobody can be asked`, {
    hint: '--yes removes them; --dry-run shows them.',
  });
}

function described({ reference, used }: ChosenImage): string {
  const since = used ? ` (last pushed or pulled ${used.toISOString().slice(0, 10)})` : '';
  return `${formatReference(reference)}${since}`;
}
