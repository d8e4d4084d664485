// CAs and client certificates of single hosts, as in containers-certs.d(5). Docker's certs.d is the same.
import { join } from 'node:path';
import { invalid, listIfThere, readIfThere } from '../../../io/files/read-config-file.ts';
import type { TlsFiles } from '../../../io/http/http-agents.ts';
import { canonicalHost } from '../../../oci/reference.ts';
import type { TrustFiles } from './hosts-toml.ts';

/** `HOST/*.crt` are CAs; `HOST/NAME.cert` with `HOST/NAME.key` is a client certificate (the first one is used). `named` is what hosts.toml adds. */
export async function readCertificates(
  directories: readonly string[],
  host: string,
  named: TrustFiles = { ca: [] },
): Promise<TlsFiles> {
  const names = new Set([host, canonicalHost(host), ...(/:\d+$/.test(host) ? [] : [`${host}:443`])]);
  const ca = await Promise.all(named.ca.map(readPem));
  let client = named.client && { cert: await readPem(named.client.cert), key: await readPem(named.client.key) };
  for (const directory of directories.flatMap((each) => [...names].map((name) => join(each, name)))) {
    const files = await listIfThere(directory);
    for (const file of files.filter((name) => name.endsWith('.crt'))) {
      ca.push(await readPem(join(directory, file)));
    }
    // A key without a certificate is a mistake. Without an error the host would be asked anonymously.
    const alone = files.find((name) => name.endsWith('.key') && !files.includes(name.replace(/\.key$/, '.cert')));
    if (alone !== undefined) invalid(join(directory, alone), `has no ${alone.replace(/\.key$/, '.cert')} beside it`);
    const cert = client ? undefined : files.find((name) => name.endsWith('.cert'));
    if (cert === undefined) continue;
    const key = cert.replace(/\.cert$/, '.key');
    if (!files.includes(key)) invalid(join(directory, cert), `has no ${key} beside it`);
    client = { cert: await readPem(join(directory, cert)), key: await readPem(join(directory, key)) };
  }
  return { ca, ...client };
}

async function readPem(file: string): Promise<string> {
  const text = (await readIfThere(file)) ?? '';
  return text.includes('-----BEGIN ') ? text : invalid(file, 'holds no PEM');
}
