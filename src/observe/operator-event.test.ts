// Every line of the log in JSON, and every event of the feed, against the schema that is documented.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { ImagesError } from '../oci/errors.ts';
import { createFeed } from './feed.ts';
import { createLog } from './log.ts';
import type { Observation } from './observation.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Schema[];
}

const SCHEMA = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../docs/operator-event.schema.json'), 'utf8'),
) as Schema;

/** The words of JSON Schema that the file uses, and no more. */
function fits(value: unknown, schema: Schema): boolean {
  if (schema.oneOf) return schema.oneOf.filter((one) => fits(value, one)).length === 1;
  if (schema.enum) return schema.enum.includes(value);
  if (schema.type === 'array') return Array.isArray(value) && value.every((one) => fits(one, schema.items ?? {}));
  if (schema.type !== 'object') return typeof value === schema.type;
  if (typeof value !== 'object' || value === null) return false;
  const { properties = {}, required = [] } = schema;
  const isWhole = required.every((name) => name in value);
  return isWhole && Object.entries(value).every(([name, one]) => properties[name] && fits(one, properties[name]));
}

const DIGEST = digestOf(Buffer.from('x'));
const FAULT = { kind: 'damaged-blob', where: 'blobs/x', digest: DIGEST, mend: 'fetch', images: ['a:1'] } as const;
const FROM = { host: 'quay.io', repository: 'a/b' } as const;
const COLLECTION = {
  ...{ tags: [], retentionWaits: false, manifests: [], blobs: 2, bytes: 3, recent: { blobs: 0, bytes: 0 } },
  ...{ isMore: false, leap: { from: '2026-01-01T00:00:00Z', to: '2026-02-01T00:00:00Z' } },
};
const REQUEST: Observation = {
  ...{ type: 'request', id: 'r', kind: 'manifest-get', method: 'GET', url: '/v2/a/manifests/1', status: 404 },
  ...{ code: 'MANIFEST_UNKNOWN', host: 'quay.io', repository: 'a', reference: '1', digest: DIGEST, remote: '::1' },
  ...{ sent: 1, received: 0, duration: 1, userAgent: 'x', via: 'nobody' },
};

/** One of each: the compiler asks for those that are missing. */
const ALL: Readonly<Record<Observation['type'], Observation>> = {
  request: REQUEST,
  failure: { type: 'failure', method: 'GET', url: '/healthz', error: new Error('x') },
  collected: { type: 'collected', collection: COLLECTION, duration: 1 },
  scrubbed: {
    ...{ type: 'scrubbed', blobs: 1, bytes: 2, mended: 0, incomplete: ['a:1'] },
    ...{ findings: [FAULT], news: [{ ...FAULT, why: 'gone' }] },
  },
  damaged: { type: 'damaged', digest: DIGEST },
  fetching: { type: 'fetching', digest: DIGEST, from: 'quay.io' },
  mended: { type: 'mended', fault: FAULT },
  'housekeeping-failed': { type: 'housekeeping-failed', error: new ImagesError('NO_SPACE', 'full') },
  'proxy-fetching': { type: 'proxy-fetching', ...FROM, digest: DIGEST, size: 3 },
  'proxy-fetched': { type: 'proxy-fetched', ...FROM, digest: DIGEST, bytes: 3, duration: 1.23 },
  'proxy-stored': { type: 'proxy-stored', ...FROM, digest: DIGEST, tags: ['1'] },
  'proxy-failed': { type: 'proxy-failed', ...FROM, error: new Error('x') },
  notice: { type: 'notice', level: 'warn', text: 'x' },
  serving: { type: 'serving', data: '/d', addresses: [{ host: '::', port: 80, tls: true }], open: 'all may pull' },
  reloaded: { type: 'reloaded', file: '/f' },
  stopping: { type: 'stopping' },
  stopped: { type: 'stopped' },
};

it.each(Object.values(ALL))('what is told of $type fits the schema', async (observation) => {
  const lines: string[] = [];
  const settings = () => ({ isJson: true, isAccess: true, level: 'debug' }) as const;
  const log = createLog({ settings, write: (text) => lines.push(...text.trim().split('\n')) });
  const feed = createFeed();
  const all: readonly Observation[] =
    observation.type === 'request'
      ? [observation, { ...observation, method: 'PUT', status: 201, isAudited: true }]
      : [observation];
  for (const one of all) {
    log(one);
    feed.add(one);
  }
  feed.end();
  for await (const piece of feed.watch({ after: 'unknown', signal: new AbortController().signal })) {
    lines.push(
      ...[
        ...Buffer.from(piece)
          .toString()
          .matchAll(/^data: (.*)$/gm),
      ].map(([, json = '']) => json),
    );
  }
  expect(lines.length).toBeGreaterThan(1);
  const values = lines.map((line) => JSON.parse(line) as unknown);
  expect(values.filter((value) => !fits(value, SCHEMA))).toEqual([]);
  for (const value of values) expect(fits({ ...(value as object), more: 1 }, SCHEMA)).toBe(false);
});
