// `images lreg_watch`: what happens in the registry, a line each.

import { ImagesError } from '../../oci/errors.ts';
import { type WatchedEvent, watchRegistry } from '../../tasks/private-registry/watch-registry.ts';
import type { Run } from '../grammar/command.ts';
import { taskSettings } from '../grammar/task-settings.ts';
import { safeJson, safeText } from '../process/safe-text.ts';
import { formatBytes } from '../reporter/format.ts';

/** What can be asked for, and the events that are meant. */
const TYPES: Readonly<Record<string, (event: WatchedEvent) => boolean>> = {
  pull: ({ fields }) => String(fields.kind).endsWith('-get'),
  push: ({ fields }) => /^(?:upload-|manifest-put|blob-mount)/.test(String(fields.kind)),
  delete: ({ fields }) => String(fields.kind).endsWith('-delete'),
  refused: ({ fields }) => [401, 403, 429].includes(Number(fields.status)),
  request: ({ event }) => event === 'request',
  proxy: ({ event }) => event.startsWith('proxy-'),
  gc: ({ event }) => event === 'collected' || event === 'housekeeping-failed',
  scrub: ({ event }) => ['scrubbed', 'finding', 'damaged', 'mended', 'fetching'].includes(event),
  notice: ({ event }) => ['notice', 'failure', 'serving', 'reloaded', 'stopping', 'stopped'].includes(event),
};

export const run: Run = async ({ options, context }) => {
  const wanted = options.texts('type').flatMap((text) => text.split(','));
  for (const type of wanted) {
    if (TYPES[type]) continue;
    throw new ImagesError('USAGE', `no such type [--type=${type}]`, {
      hint: `Write ${Object.keys(TYPES).join(', ')}.`,
    });
  }
  const since = options.text('since');
  const request = since === undefined ? {} : { since };
  for await (const event of watchRegistry(request, taskSettings(context, options))) {
    const isWanted = wanted.length === 0 || event.event === 'missed' || wanted.some((type) => TYPES[type]?.(event));
    if (!isWanted) continue;
    const line = options.flag('json') ? safeJson(JSON.stringify(event.fields)) : safeText(watchLine(event));
    await context.out(`${line}\n`);
  }
  return 0;
};

const WORDS: Readonly<Record<string, string>> = { error: 'ERROR: ', warn: 'WARNING: ' };

/** The time of the day, and what happened: of a request who does what, with which result, and how fast. */
export function watchLine({ time, level, event, message, fields }: WatchedEvent): string {
  const clock = time.slice(11, 19);
  if (event !== 'request') return `${clock} ${WORDS[level] ?? ''}${message}`;
  const { who, address, status, code, sent, received, duration } = fields;
  const result = code === undefined ? String(status) : `${status} ${code}`;
  return `${clock} ${who}@${address} ${deedOf(fields)}: ${result}${speedOf(Math.max(Number(sent), Number(received)), Number(duration))}`;
}

const DEEDS: Readonly<Record<string, string>> = {
  'blob-get': 'pulls',
  'manifest-get': 'pulls',
  'manifest-put': 'pushes',
  'upload-start': 'begins to push',
  'upload-whole': 'pushes',
  'upload-chunk': 'sends a part',
  'upload-finish': 'pushes',
  'upload-status': 'asks for an upload',
  'upload-cancel': 'gives up an upload',
  'blob-mount': 'mounts',
  'tag-list': 'lists tags of',
  'referrer-list': 'lists referrers of',
  'tag-delete': 'deletes',
  'manifest-delete': 'deletes',
  'blob-delete': 'deletes',
  catalog: 'lists repositories',
  token: 'asks for a token',
};

function deedOf({ kind, method, path, host, repository, reference, digest }: WatchedEvent['fields']): string {
  const deed = DEEDS[String(kind)];
  if (deed === undefined) return `${method} ${path}`;
  const said = method === 'HEAD' ? 'looks for' : deed;
  if (repository === undefined) return said;
  const what = reference ?? digest;
  const mark = String(what).includes(':') ? '@' : ':';
  return `${said} ${host === undefined ? '' : `${host}/`}${repository}${what === undefined ? '' : `${mark}${what}`}`;
}

/** `duration` in milliseconds. Of few bytes only how long it took. */
function speedOf(bytes: number, duration: number): string {
  if (bytes < 100_000) return `, ${duration.toFixed(1)} ms`;
  const seconds = Math.max(duration, 1) / 1000;
  return `, ${formatBytes(bytes)} in ${seconds.toFixed(1)} s (${formatBytes(Math.round(bytes / seconds))}/s)`;
}
