// The topics of --debug and $IMAGES_DEBUG.
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';
import type { DebugEvent } from '../../tasks/settings.ts';

export type DebugTopic = DebugEvent['topic'];

/** Topics with what they print. */
const TOPICS: Readonly<Record<DebugTopic, string>> = {
  http: 'each request to others: method, address, status, time, bytes',
  hosts: 'which credentials, which mirror, http or https; attempts that are repeated',
  copy: 'why a part was fetched or not',
  build: 'why a step was done or not, where a base image comes from',
  scan: 'which file was read, which rule found something, what was left out and why',
  store: 'each call to the embedded store, and what it found there',
  serve: 'each request to the embedded registry',
};
export const DEBUG_TOPICS = Object.keys(TOPICS) as readonly DebugTopic[];

const ALL = ['all', '1', 'yes', 'true'];
const NONE = ['none', '0', 'no', 'false'];

/**
 * Parses `http,copy`; without a topic, returns all. Also takes 1 and 0, as usual in environment variables. Errors: USAGE for an unknown topic; it names
 * `given`, which is where the text comes from.
 */
export function debugTopics(text: string, given: '--debug' | '$IMAGES_DEBUG' = '--debug'): ReadonlySet<DebugTopic> {
  const names = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter(Boolean);
  const unknown = names.find((name) => !ALL.includes(name) && !NONE.includes(name) && !isTopic(name));
  if (unknown !== undefined) {
    const meant = nearest(unknown, DEBUG_TOPICS);
    throw new ImagesError('USAGE', `unknown topic of ${given} [${unknown}]`, {
      hint: `${meant ? `Did you mean ${meant}? ` : ''}There are ${DEBUG_TOPICS.join(', ')}; --debug alone takes all.`,
    });
  }
  return new Set(names.length === 0 || names.some((name) => ALL.includes(name)) ? DEBUG_TOPICS : names.filter(isTopic));
}

function isTopic(name: string): name is DebugTopic {
  return Object.hasOwn(TOPICS, name);
}
