// Which addresses count as this machine's, as its VMs', and as trusted proxies; and a line for the log for each proxy whose clients are not known.
import type { Neighbours } from '../../access/asker-address.ts';
import type { AccessConfig } from './access-config.ts';
import { writingNetworks } from './writing-networks.ts';

/** Of proxies that are told of: a client can make itself look like one, from many addresses of the VMs. */
const MOST_TOLD = 20;

/** `access` is asked each time. `onNotice` gets one line for each proxy. */
export function registryNeighbours(
  access: () => Pick<AccessConfig, 'trustedProxies'>,
  onNotice: ((text: string) => void) | undefined,
): Neighbours {
  const [local, vms] = [writingNetworks(['local']), writingNetworks(['vms'])];
  const isLocal = (address: string) => local.some((range) => range.has(address));
  const isTrustedProxy = (address: string) => access().trustedProxies?.some((range) => range.has(address)) ?? false;
  const told = new Set<string>();
  return {
    isLocal,
    isNear: (address) => isLocal(address) || vms.some((range) => range.has(address)),
    isTrustedProxy,
    onUnknownClient: (proxy) => {
      if (told.has(proxy) || told.size >= MOST_TOLD) return;
      told.add(proxy);
      const mend = isTrustedProxy(proxy)
        ? 'let it set X-Forwarded-For'
        : `if it sets X-Forwarded-For: \`--trusted-proxies=${isLocal(proxy) ? 'local' : proxy}\``;
      onNotice?.(
        `requests come through a proxy [${proxy}] that does not say who asks, or is not believed: from behind it, nobody writes without a login, and wrong passwords slow everybody: ${mend}`,
      );
    },
  };
}
