// ADD with a URL: downloads into an unnamed file, follows redirects, and verifies the checksum if there is one.
import { filesSource } from '../../build/context/one-file.ts';
import { createSpool, type Spool } from '../../build/context/spool.ts';
import { nameOfUrl } from '../../build/dockerfile/parse-files.ts';
import type { Download } from '../../build/request.ts';
import { createHttpPool, DEFAULT_TIMEOUTS, type HttpAnswer, type HttpPool } from '../../io/http/http.ts';
import { describeHttpUrl, type HttpUrl, parseHttpUrl, resolveHttpUrl } from '../../io/http/http-url.ts';
import { proxyFor, proxySettings } from '../../io/http/proxy.ts';
import { type Digest, digester } from '../../oci/digest.ts';
import { ImagesError } from '../../oci/errors.ts';
import { wholeSeconds } from '../../tar/time.ts';
import type { TaskEvents, World } from '../settings.ts';

export interface Downloader extends AsyncDisposable {
  readonly download: Download;
}

const MAX_REDIRECTS = 10;

/** `directory` holds the files until the downloader is disposed. */
export function createDownloader(settings: World & TaskEvents, directory: string): Downloader {
  const spools: Spool[] = [];
  let pool: HttpPool | undefined;
  const { onDebug } = settings;
  return {
    download: async (url, { checksum, signal }) => {
      pool ??= createHttpPool({
        timeouts: DEFAULT_TIMEOUTS,
        tunnelWithin: DEFAULT_TIMEOUTS.headers,
        proxyFor: (host, secure) => proxyFor(proxySettings(settings.env), host, secure),
        namesHost: async (host) => {
          const { readClientSettings } = await import('../../registry/client/config/read-client-settings.ts');
          return (await readClientSettings(settings)).namesHost?.(host) ?? false;
        },
        tlsFiles: async () => ({}),
        ...(onDebug && { onEvent: (event) => onDebug({ topic: 'http', event }) }),
      });
      const answer = await get(pool, parseHttpUrl(url), signal);
      const spool = await createSpool(directory);
      spools.push(spool);
      const hash = digester(checksum?.startsWith('sha512') ? 'sha512' : 'sha256');
      for await (const chunk of answer.body) {
        hash.update(chunk);
        await spool.append(chunk);
      }
      const digest = `${checksum?.startsWith('sha512') ? 'sha512' : 'sha256'}:${hash.digest('hex')}` as Digest;
      if (checksum !== undefined && digest !== checksum) {
        throw new ImagesError(
          'DIGEST_INVALID',
          `digest is ${digest}, expected ${checksum} [${describeHttpUrl(parseHttpUrl(url))}]`,
          { hint: 'The file is not the one that --checksum was written for: find out which of the two is right.' },
        );
      }
      const modified = Date.parse(answer.headers['last-modified'] ?? '');
      const file = {
        name: nameOfUrl(url),
        size: await spool.size(),
        mode: 0o600,
        time: wholeSeconds(Number.isNaN(modified) ? 0 : Math.floor(modified / 1000)),
        open: () => spool.read(),
        contentId: async () => digest,
      };
      return filesSource(describeHttpUrl(parseHttpUrl(url)), [file]);
    },
    [Symbol.asyncDispose]: async () => {
      pool?.[Symbol.dispose]();
      for (const spool of spools) await spool[Symbol.asyncDispose]();
    },
  };
}

/** Errors: BAD_ANSWER for a status other than 200, those of HTTP. */
async function get(pool: HttpPool, from: HttpUrl, signal: AbortSignal | undefined): Promise<HttpAnswer> {
  let url = from;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await pool.send({
      method: 'GET',
      url,
      signal,
      headers: { 'accept-encoding': 'identity', accept: '*/*' },
    });
    const { location } = answer.headers;
    if (answer.status === 200) return answer;
    answer.discard();
    if (answer.status < 300 || answer.status > 399 || location === undefined) {
      throw new ImagesError('BAD_ANSWER', `the address answered ${answer.status} [${describeHttpUrl(url)}]`, {
        status: answer.status,
        ...(answer.status === 404 && { hint: 'Check the address.' }),
      });
    }
    url = resolveHttpUrl(answer.url, location);
    if (from.secure && !url.secure) {
      throw new ImagesError('BAD_ANSWER', `${answer.url.host} leads to plain http [${describeHttpUrl(url)}]`, {
        hint: 'If that is meant, write that address.',
      });
    }
  }
  throw new ImagesError('BAD_ANSWER', `more than ${MAX_REDIRECTS} redirects [${describeHttpUrl(from)}]`);
}
