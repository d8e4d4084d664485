// The files of a `dir:` image, as skopeo has them (containers-transports(5), "dir"): one image in one directory.
//
//   version               says that this is one
//   manifest.json         the root
//   HEX.manifest.json     each manifest below it
//   HEX                   each blob
//   signature-N           of the root, and HEX.signature-N of those below: passed over
import { type Digest, digestHex } from '../../oci/digest.ts';

export const VERSION_FILE = 'version';
export const VERSION_LINE = 'Directory Transport Version: 1.1\n';
export const ROOT_FILE = 'manifest.json';

export function dirBlobFile(digest: Digest): string {
  return digestHex(digest);
}

export function dirManifestFile(digest: Digest): string {
  return `${digestHex(digest)}.manifest.json`;
}

/** Whether a file with this name is a part of an image. */
export function isDirFile(name: string): boolean {
  return /^(?:[0-9a-f]{64,128}(?:\.manifest\.json|\.signature-\d+)?|signature-\d+)$/.test(name);
}
