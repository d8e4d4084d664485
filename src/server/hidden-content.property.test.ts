// What an asker may not pull changes no answer: the same requests to two registries that differ only in that are answered alike, whatever the rules are.
import { Agent } from 'node:http';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { rounds } from '../../test/testing/soak.ts';
import type { AccessControl, Asker } from '../access/contract.ts';
import { permitted } from '../access/permitted.ts';
import { permittedNames } from '../access/permitted-names.ts';
import { type AccessRule, mayDo } from '../access/rules.ts';
import { memoryStore } from '../storage/drivers/staged-store.ts';
import { registryStore } from '../storage/registry-store.ts';
import { type Answer, ask } from './testing/ask.ts';
import { image, putImage } from './testing/content.ts';
import { startServer } from './testing/start.ts';

const asker: Asker = { via: 'password', user: 'anna', address: '127.0.0.1' };
const NAMES = ['app', 'library/app', 'team/app', 'docker.io/team/app', 'docker.io/library/app'];
const PATTERNS = ['app', 'library/*', 'team/**', 'docker.io/**', '*', '*/*', 'docker.io/team/*'];
const content = image();
const DIGESTS = [content.manifest.digest, ...content.blobs.map(({ descriptor }) => descriptor.digest)];

const rule: fc.Arbitrary<AccessRule> = fc.record({
  repositories: fc.constantFrom(...PATTERNS),
  allow: fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete'), { minLength: 1 }),
});
const path = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.constantFrom(
      'tags/list',
      'tags/list?n=1',
      'manifests/1',
      'manifests/none',
      'manifests/9',
      ...DIGESTS.flatMap((digest) => [`manifests/${digest}`, `blobs/${digest}`, `referrers/${digest}`]),
    ),
    fc.constantFrom('', '', 'ns=docker.io', 'ns=quay.io'),
  )
  .map(([name, end, ns]) => `/v2/${name}/${end}${ns && (end.includes('?') ? `&${ns}` : `?${ns}`)}`);
interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const reading: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'HEAD'),
  path: fc.oneof({ weight: 9, arbitrary: path }, { weight: 1, arbitrary: fc.constant('/v2/_catalog') }),
  headers: fc.constantFrom({}, { 'if-none-match': '*' }, { range: 'bytes=0-3' }),
});
/** What an asker may write can make visible only what the asker sees, or sends. */
const writing: fc.Arbitrary<Asked> = fc.oneof(
  fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom(...DIGESTS), fc.constantFrom(undefined, ...NAMES))
    .map(([name, digest, from]) => ({
      method: 'POST',
      path: `/v2/${name}/blobs/uploads/?mount=${digest}${from === undefined ? '' : `&from=${from}`}`,
    })),
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom(...DIGESTS)).map(([name, digest]) => ({
    method: 'POST',
    path: `/v2/${name}/blobs/uploads/?digest=${digest}`,
  })),
  fc.tuple(fc.constantFrom(...NAMES), fc.constantFrom('2', content.manifest.digest)).map(([name, reference]) => ({
    method: 'PUT',
    path: `/v2/${name}/manifests/${reference}`,
    headers: { 'content-type': content.manifest.mediaType },
    body: content.manifest.bytes,
  })),
);
const request = fc.oneof({ weight: 2, arbitrary: reading }, { weight: 1, arbitrary: writing });

async function serving(rules: readonly AccessRule[], holds: readonly string[]) {
  const may: AccessControl['mayDo'] = (who, action, repository) => mayDo({ rules }, who, action, repository);
  const store = registryStore(memoryStore(), {
    policy: (repositories) => permitted(repositories, may),
    namesPolicy: (names) => permittedNames(names, may),
  });
  for (const name of holds) await putImage(store.stripped, name, '1', content);
  if (holds.includes('team/app')) await store.names.set('docker.io', 'team/app', '9', content.manifest.digest);
  const access = { identify: () => asker, mayDo: may, hasToLogIn: () => false, challenge: () => undefined };
  return await startServer(store.registry, {}, { access });
}

/** Requests and uploads have names of their own. */
const plain = ({ status, headers: { date, 'x-request-id': _id, ...headers }, text }: Answer) => ({
  status,
  headers: JSON.stringify(headers).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'),
  text,
});

it('what may not be pulled changes no answer', async () => {
  await using agents = {
    agent: new Agent({ keepAlive: true }),
    [Symbol.asyncDispose]: async () => agents.agent.destroy(),
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(rule, { maxLength: 3 }),
      fc.subarray(NAMES),
      fc.array(request, { minLength: 5, maxLength: 15 }),
      async (rules, holds, requests) => {
        // Who may push may ask whether a blob is there.
        const isSeen = (name: string) => mayDo({ rules }, asker, 'pull', name) || mayDo({ rules }, asker, 'push', name);
        await using all = await serving(rules, holds);
        await using seen = await serving(rules, holds.filter(isSeen));
        for (const { method, path, headers = {}, body } of requests) {
          const question = { headers, agent: agents.agent, ...(body && { body }) };
          const [one, other] = await Promise.all([all, seen].map(({ url }) => ask(`${url}${path}`, method, question)));
          expect(one && plain(one), `${method} ${path}`).toEqual(other && plain(other));
        }
      },
    ),
    { numRuns: rounds(20) },
  );
});
