// Reads hosts from the Docker daemon's configuration: `insecure-registries` and `registry-mirrors` (docs.docker.com, "dockerd").
import { fieldsOf, invalid, readJsonFile } from '../../../io/files/read-config-file.ts';
import { hostAndPort, tryParseHttpUrl } from '../../../io/http/http-url.ts';
import { isInBlock } from '../../../io/http/proxy.ts';
import { withoutEnd } from '../../../io/text/trim-end.ts';
import { canonicalHost, DEFAULT_HOST } from '../../../oci/reference.ts';
import type { Mirror } from '../settings.ts';

export interface DaemonConfig {
  isInsecure(host: string): boolean;
  /** Mirrors of Docker Hub; none for other hosts, because the daemon does not support those. */
  mirrors(host: string): readonly Mirror[];
}

/** Errors: CONFIG_INVALID, FILE_UNREADABLE. */
export async function readDockerDaemon(file: string): Promise<DaemonConfig> {
  const fields = fieldsOf(file, (await readJsonFile(file)) ?? {});
  const insecure = fields
    .strings('insecure-registries')
    .map((entry) => canonicalHost(entry.replace(/^https?:\/\//, '')));
  const mirrors = fields.strings('registry-mirrors').map((address) => readMirror(file, address));
  const isInsecure = (host: string) => insecure.some((entry) => entry === host || isInEntry(entry, host));
  return {
    isInsecure,
    mirrors: (host) =>
      host === DEFAULT_HOST
        ? mirrors.map((mirror) => (isInsecure(mirror.host) ? { ...mirror, insecure: true } : mirror))
        : [],
  };
}

function isInEntry(entry: string, host: string): boolean {
  const [, address, prefix] = /^(.+)\/(\d+)$/.exec(entry) ?? [];
  return address !== undefined && isInBlock(address, Number(prefix), hostAndPort(host, true).hostname);
}

function readMirror(file: string, address: string): Mirror {
  const url = tryParseHttpUrl(address);
  if (!url) return invalid(file, `has a wrong value: registry-mirrors holds [${address}]`);
  const path = withoutEnd(url.path, '/');
  return { host: url.host, scheme: url.secure ? 'https' : 'http', pulls: 'all', ...(path && { root: `${path}/v2` }) };
}
