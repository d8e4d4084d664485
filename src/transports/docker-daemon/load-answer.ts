// Parses the daemon's answer while it loads an archive: JSON objects, one after another. An error is one of them, with status 200.
import type { Bytes } from '../../io/streams/bytes.ts';
import { isObject } from '../../oci/decode.ts';
import { ImagesError } from '../../oci/errors.ts';

const MAX_LINE = 1024 * 1024;

/** Reads the answer to its end. Errors: NO_SPACE, SERVER_ERROR, with the daemon's message; those of the stream. */
export async function readLoadAnswer(body: Bytes): Promise<void> {
  let failure: string | undefined;
  for await (const line of lines(body)) {
    const said = errorIn(line);
    failure ??= said;
  }
  if (failure === undefined) return;
  const full = /no space left on device/i.test(failure);
  throw new ImagesError(full ? 'NO_SPACE' : 'SERVER_ERROR', `the Docker daemon cannot load it: ${failure}`, {
    hint: full
      ? 'Free space where the daemon keeps its data: `docker system df`.'
      : 'Run it again; the daemon’s log (`journalctl -u docker`) may say more.',
  });
}

function errorIn(line: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const { error, errorDetail } = value;
  const detail = isObject(errorDetail) && typeof errorDetail.message === 'string' ? errorDetail.message : undefined;
  const text = typeof error === 'string' ? error : detail;
  return text?.trim().replaceAll(/\s+/g, ' ');
}

/** Docker ends each object with CR LF. An object that is longer than any message is truncated: it is progress, and not needed. */
async function* lines(body: Bytes): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const parts = `${rest}${decoder.decode(chunk, { stream: true })}`.split(/\r?\n/);
    rest = (parts.pop() ?? '').slice(0, MAX_LINE);
    yield* parts;
  }
  yield rest;
}
