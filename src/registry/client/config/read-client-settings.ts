// Makes the client's settings from the machine's configuration. Each file is read once, when a request first needs it.
import { join } from 'node:path';
import { userDirectory } from '../../../io/files/user-directories.ts';
import { proxySettings } from '../../../io/http/proxy.ts';
import type { ClientSettings } from '../settings.ts';
import { readCertificates } from './certificates.ts';
import { credentialFiles } from './credential-files.ts';
import { defaultAddress } from './docker-hub.ts';
import type { HostsToml, TrustFiles } from './hosts-toml.ts';

export interface ClientSettingsSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The user's home directory; `undefined` if there is none. */
  readonly home: string | undefined;
  /** See `ClientSettings`. */
  readonly temporaryDirectory: string;
  /** Default: `/etc`. */
  readonly etc?: string;
}

/**
 * Finds credentials, CAs, hosts and proxies in the files of docker, podman, skopeo and containerd. It reads nothing yet: errors of a file
 * (CONFIG_INVALID, FILE_UNREADABLE) are thrown by the first request that needs it.
 */
export async function readClientSettings({
  env,
  home,
  temporaryDirectory,
  etc = '/etc',
}: ClientSettingsSources): Promise<ClientSettings> {
  const own = userDirectory('XDG_CONFIG_HOME', { env, home });
  const certificates = [
    join(etc, 'containers/certs.d'),
    ...(own === undefined ? [] : [join(own, 'containers/certs.d')]),
    join(etc, 'docker/certs.d'),
  ];
  const trust = new Map<string, TrustFiles>();
  return {
    temporaryDirectory,
    credentials: credentialFiles({ env, home }),
    ...hostRules({ env, home, etc }, trust),
    tlsFiles: (host) => readCertificates(certificates, host, trust.get(host)),
    proxies: proxySettings(env),
  };
}

/**
 * The first source that mentions the host decides: registries.conf, hosts.toml, the Docker daemon. A host is insecure if any of them says so.
 * `trust` gets the certificates that hosts.toml names. A host's rule is always read before a TLS connection to it is made.
 */
function hostRules(
  sources: Required<Omit<ClientSettingsSources, 'temporaryDirectory'>>,
  trust: Map<string, TrustFiles>,
): Required<Pick<ClientSettings, 'hostRule' | 'namesHost'>> {
  const readConf = once(async () => (await import('./registries-conf.ts')).readRegistriesConf(sources));
  const readDaemon = once(async () =>
    (await import('./docker-daemon.ts')).readDockerDaemon(join(sources.etc, 'docker/daemon.json')),
  );
  const hostsTomls = new Map<string, Promise<HostsToml | undefined>>();
  const readHosts = async (host: string) => {
    const { readHostsToml } = await import('./hosts-toml.ts');
    const found = await readHostsToml(join(sources.etc, 'containerd/certs.d'), host);
    for (const [of, files] of found?.trust ?? []) trust.set(of, files);
    return found;
  };
  const hostsToml = (host: string) => {
    const found = hostsTomls.get(host) ?? readHosts(host);
    hostsTomls.set(host, found);
    return found;
  };
  return {
    async hostRule(host, repository) {
      const [conf, daemon] = await Promise.all([readConf(), readDaemon()]);
      const hosts = hostsToml(host);
      const found = conf(host, repository) ?? (await hosts)?.rule;
      const rule = found ?? { mirrors: daemon.mirrors(host), upstream: { host: defaultAddress(host) } };
      if (!rule.upstream || rule.upstream.insecure || !daemon.isInsecure(host)) return rule;
      return { ...rule, upstream: { ...rule.upstream, insecure: true } };
    },
    async namesHost(host) {
      const [conf, daemon] = await Promise.all([readConf(), readDaemon()]);
      const rule = conf(host, undefined);
      if (rule) return rule.blockedBy === undefined;
      return daemon.isInsecure(host) || ((await hostsToml(host))?.isOwn ?? false);
    },
  };
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let value: Promise<T> | undefined;
  return () => {
    value ??= read();
    return value;
  };
}
