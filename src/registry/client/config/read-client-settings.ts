// The machine's configuration as settings for the client. Each file is read when a request first needs what it says, and once.
import { join } from 'node:path';
import { proxySettings } from '../../../io/proxy.ts';
import type { ClientSettings, HostRule } from '../settings.ts';
import { readCertificates } from './certificates.ts';
import { credentialFiles } from './credential-files.ts';
import { defaultAddress } from './docker-hub.ts';

export interface ClientSettingsSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory, where there is one. */
  readonly home: string | undefined;
  /** `/etc` when absent. */
  readonly etc?: string;
}

/**
 * Credentials, CAs, hosts and proxies as docker, podman, skopeo and containerd find them. Reads nothing yet: what is wrong with a file is
 * said (CONFIG_INVALID, FILE_UNREADABLE) by the first request that needs it.
 */
export async function readClientSettings({ env, home, etc = '/etc' }: ClientSettingsSources): Promise<ClientSettings> {
  const certificates = [
    join(etc, 'containers/certs.d'),
    ...(home ? [join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/certs.d')] : []),
    join(etc, 'docker/certs.d'),
  ];
  return {
    credentials: credentialFiles({ env, home }),
    hostRule: hostRules({ env, home, etc }),
    tlsFiles: (host) => readCertificates(certificates, host),
    proxies: proxySettings(env),
  };
}

/** The first that speaks of the host decides: registries.conf, hosts.toml, the Docker daemon. Insecure is what any of them calls so. */
function hostRules(sources: Required<ClientSettingsSources>): NonNullable<ClientSettings['hostRule']> {
  const readConf = once(async () => (await import('./registries-conf.ts')).readRegistriesConf(sources));
  const readDaemon = once(async () =>
    (await import('./docker-daemon.ts')).readDockerDaemon(join(sources.etc, 'docker/daemon.json')),
  );
  const hostsTomls = new Map<string, Promise<HostRule | undefined>>();
  const readHosts = (host: string) => {
    const known =
      hostsTomls.get(host) ??
      import('./hosts-toml.ts').then(({ readHostsToml }) =>
        readHostsToml(join(sources.etc, 'containerd/certs.d'), host),
      );
    hostsTomls.set(host, known);
    return known;
  };
  return async (host, repository) => {
    const [conf, daemon] = await Promise.all([readConf(), readDaemon()]);
    const found = conf(host, repository) ?? (await readHosts(host));
    const rule = found ?? { mirrors: daemon.mirrors(host), upstream: { host: defaultAddress(host) } };
    if (!rule.upstream || rule.upstream.insecure || !daemon.isInsecure(host)) return rule;
    return { ...rule, upstream: { ...rule.upstream, insecure: true } };
  };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= read();
    return value;
  };
}
