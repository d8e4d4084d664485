// The records of a pax extended header: `LENGTH KEY=VALUE\n`, LENGTH in decimal and counting itself (POSIX.1-2017, pax, "pax Extended Header").
import { ImagesError } from '../oci/errors.ts';

/** Values are bytes: most are UTF-8, extended attributes need not be. Errors: TAR_INVALID. */
export function parsePaxRecords(bytes: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const records = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const blank = bytes.indexOf(0x20, at);
    const digits = decode(bytes.subarray(at, blank < 0 ? at : Math.min(blank, at + 16)));
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, blank);
    const isRecord =
      /^[1-9]\d*$/.test(digits) && end <= bytes.length && bytes[end - 1] === 0x0a && equals > blank && equals < end;
    if (!isRecord) throw new ImagesError('TAR_INVALID', `a broken extended header in a tar archive [${digits}]`);
    records.set(decode(bytes.subarray(blank + 1, equals)), bytes.slice(equals + 1, end - 1));
    at = end;
  }
  return records;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
