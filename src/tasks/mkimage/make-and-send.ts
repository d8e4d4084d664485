// `mkimage` as one use case: the image is built, and then sent where it is to be.

import type { OnCopyEvent } from '../../copy/events.ts';
import { checkArguments, TEXT } from '../../oci/arguments.ts';
import { OPTIONS, SETTINGS } from '../arguments.ts';
import type { Settings } from '../settings.ts';
import type { TransferResult } from '../transfer/transfer-result.ts';
import { type MadeImage, type MakeImageOptions, makeImage } from './make-image.ts';
import type { BuiltImageGoal } from './send-built-image.ts';

export interface MakeAndSendOptions extends MakeImageOptions {
  /** Where the image is sent, one after the other. Without goals it stays in the local store. */
  readonly goals?: readonly BuiltImageGoal[];
  /** Called with the image before it is sent, which waits until this is done. */
  onMade?(made: MadeImage): void | Promise<void>;
  readonly onCopyEvent?: OnCopyEvent;
}

export interface MadeAndSent extends MadeImage {
  /** What each of the goals got. */
  readonly sent: readonly TransferResult[];
}

/** Builds an image, and sends it to each of the goals. If it cannot be sent, it is in the local store. Errors: those of `makeImage` and `sendBuiltImage`. */
export async function makeAndSendImage(
  directory: string,
  settings: Settings,
  options: MakeAndSendOptions = {},
): Promise<MadeAndSent> {
  checkArguments({ directory: [directory, TEXT], settings: [settings, SETTINGS], options: [options, OPTIONS] });
  const { goals = [], onMade, onCopyEvent, ...building } = options;
  const made = await makeImage(directory, settings, building);
  await onMade?.(made);
  return { ...made, sent: goals.length === 0 ? [] : await sendAll(made, goals, settings, onCopyEvent) };
}

async function sendAll(
  { name }: MadeImage,
  goals: readonly BuiltImageGoal[],
  settings: Settings,
  onCopyEvent: OnCopyEvent | undefined,
): Promise<readonly TransferResult[]> {
  const { sendBuiltImage } = await import('./send-built-image.ts');
  const sent: TransferResult[] = [];
  for (const goal of goals) sent.push(await sendBuiltImage(name, goal, settings, onCopyEvent));
  return sent;
}
