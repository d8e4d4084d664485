// Whether a registry that runs was started as somebody wants it now: who may do what, and TLS. An option that was not obeyed must not look as if it were.
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { htpasswdFile } from './access-config.ts';
import type { ProxyOptions } from './proxy-config.ts';
import type { TlsOptions } from './served-tls.ts';
import type { AccessOptions } from './serving-access.ts';

/** The same text for the same options, in whatever order; `undefined` without any. */
export function startedWith(options: AccessOptions & ProxyOptions & TlsOptions): string | undefined {
  const { readOnly, readOnlyFrom, writeFrom, trustedProxies, auth } = options;
  const { tls, tlsCertificate, tlsKey, tlsNames } = options;
  const path = (file: string | undefined) => (file === undefined ? undefined : resolve(file));
  const list = (texts: readonly string[] | undefined) => (texts?.length ? [...new Set(texts)].sort() : undefined);
  const { proxy, ttl, offline } = options;
  const said = [
    readOnly || undefined,
    list(readOnlyFrom),
    list(writeFrom),
    list(trustedProxies),
    auth === undefined ? undefined : path(htpasswdFile(auth) ?? auth),
    tls,
    path(tlsCertificate),
    path(tlsKey),
    list(tlsNames),
  ];
  const isProxy = proxy !== undefined || ttl !== undefined || offline === true;
  if (!isProxy && said.every((one) => one === undefined)) return undefined;
  if (isProxy) said.push(JSON.stringify([proxy && (list(proxy) ?? []), ttl, offline === true]));
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 16);
}
