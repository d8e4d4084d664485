// Sends a built image to its destination: the private registry, a Docker daemon, or any other location.

import type { OnCopyEvent } from '../../copy/events.ts';
import { checkArguments, objectWith, TEXT } from '../../oci/arguments.ts';
import { DEFAULT_TAG, formatReference, fullReference, type Reference } from '../../oci/reference.ts';
import { LISTENER, REFERENCE, SETTINGS } from '../arguments.ts';
import { openRuledStore } from '../private-registry/open-store.ts';
import { dataDirectory } from '../private-registry/registry-state.ts';
import type { Settings } from '../settings.ts';
import { builtImageSource } from '../transfer/built-image-source.ts';
import { copyOpened } from '../transfer/copy-image.ts';
import { openPrivate, openSink } from '../transfer/open-sink.ts';
import type { TransferResult } from '../transfer/transfer-result.ts';

export type BuiltImageGoal =
  /** If the private registry is the embedded one, only a link is made. */
  | { readonly kind: 'private'; readonly includeHost: boolean }
  | { readonly kind: 'docker' }
  /** A location as `images copy` takes it. */
  | { readonly kind: 'location'; readonly text: string };

/** Sends an image that was built here to its destination. Errors: those of the transport. */
export async function sendBuiltImage(
  name: Reference,
  goal: BuiltImageGoal,
  settings: Settings,
  onEvent?: OnCopyEvent,
): Promise<TransferResult> {
  checkArguments({
    name: [name, REFERENCE],
    goal: [goal, objectWith({ kind: TEXT })],
    settings: [settings, SETTINGS],
    onEvent: [onEvent, LISTENER],
  });
  const source = await builtImageSource(name, await openRuledStore(dataDirectory(settings), settings));
  if (!source) throw new Error(`what was just built is not there [${formatReference(name)}]`);
  await using _source = source;
  await using sink = await openGoal(name, goal, settings, onEvent);
  return await copyOpened({ source, sink, name: sink.name ?? name }, settings, {
    platforms: 'all',
    ...(onEvent && { onEvent }),
  });
}

async function openGoal(name: Reference, goal: BuiltImageGoal, settings: Settings, onEvent: OnCopyEvent | undefined) {
  switch (goal.kind) {
    case 'private':
      return await openPrivate(name, settings, goal);
    case 'docker':
      return await openSink(
        `docker-daemon:${formatReference({ ...fullReference(name), tag: name.tag ?? DEFAULT_TAG })}`,
        settings,
      );
    case 'location':
      return await openSink(goal.text, settings, { ...(onEvent && { onEvent }) });
  }
}
