// The time to parse headers, messages, references and files from others must grow linearly with their length: measured at two sizes.
import { describe, expect, it } from 'vitest';
import { growth, LINEAR } from '../../test/testing/growth.ts';
import { parseRetryAfter } from '../io/concurrency/backoff.ts';
import { quote } from '../io/text/quote.ts';
import { withoutSecrets } from '../io/text/secrets.ts';
import { withoutUserinfo } from '../oci/errors.ts';
import { parseReference } from '../oci/reference.ts';
import { wholeSize } from '../registry/client/blob-body.ts';
import { parseNextLink } from '../registry/client/link-header.ts';
import { parseWwwAuthenticate } from '../registry/client/www-authenticate.ts';
import { layerInstructions } from '../rootfs/instructions.ts';
import { parseChunkRange, parseRange } from '../server/range.ts';
import { parseRequest } from '../server/request.ts';
import { parsePaxRecords } from '../tar/pax-records.ts';
import { isManifestText, listedReferences } from '../tasks/overlays/reference-list.ts';
import { parseLocation } from '../transports/location.ts';
import { safeLine, safeOutput } from './process/safe-text.ts';

const SIZE = 25_000;

const READERS: readonly [string, (text: string) => unknown][] = [
  ['a line for the terminal', safeLine],
  ['what programs print', safeOutput],
  ['a quotation', quote],
  ['a message with secrets', withoutSecrets],
  ['a message with addresses', withoutUserinfo],
  ['a reference', parseReference],
  ['a location', parseLocation],
  ['a Link header', parseNextLink],
  ['a WWW-Authenticate header', parseWwwAuthenticate],
  ['a Retry-After header', parseRetryAfter],
  ['a Content-Range header', (text) => wholeSize({ status: 206, headers: { 'content-range': text } })],
  ['a Range header', (text) => parseRange(text, 1000)],
  ['the range of a chunk', parseChunkRange],
  ['a path of a request', (text) => parseRequest('GET', `/v2/${encodeURIComponent(text)}`)],
  ['a path of a request as it is', (text) => parseRequest('GET', `/v2/${text}`)],
  ['the history of an image', historyOf],
  ['records of an archive', (text) => parsePaxRecords(Buffer.from(text))],
  ['a list of references', listedReferences],
  ['what may be a manifest', isManifestText],
];

function historyOf(text: string): unknown {
  const config = { history: [{ created_by: text }], diffIds: ['sha256:a'] };
  return layerInstructions(config as unknown as Parameters<typeof layerInstructions>[0]);
}

/** Each pair is a repeated part, and an end that makes a pattern fail only there. */
const TEXTS: readonly (readonly [string, string])[] = [
  [' ', 'x'],
  ['\t\r', 'x'],
  ['a', '\n'],
  ['a/', '\n!'],
  ['1', 'x'],
  ['+.', '\u2028'],
  ['a:', '\n'],
  ['a@', '\n'],
  ['://a', ' '],
  ['="a" ', '\n'],
  ['a="', '\n'],
  [', ', 'x"'],
  [';', '<'],
  ['-', '_'],
  ['/blobs//', '\n'],
  ['[', '('],
  [']%', '\n'],
  ['eyJ', '.'],
  ['Bearer ', '\n'],
  ['?a', '='],
  ['# ', '\r'],
  ['\\', '"'],
];

describe('the cost of what others write', () => {
  it.each(READERS)('grows with its length: %s', { timeout: 120_000 }, async (_, read) => {
    const run = (text: string): void => {
      try {
        read(text);
      } catch {
        // Rejecting the text has a cost too, so errors are ignored.
      }
    };
    for (const [part, end] of TEXTS) {
      const make = (count: number) => part.repeat(Math.ceil(count / part.length)) + end;
      // If even a larger text takes no measurable time, its growth does not matter.
      const start = performance.now();
      run(make(4 * SIZE));
      if (performance.now() - start < 30) continue;
      expect([part, (await growth(SIZE, make, run)) < LINEAR]).toEqual([part, true]);
    }
  });
});
