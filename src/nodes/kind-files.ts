// For a cluster of kind: `kind create cluster --config`, the directory that its nodes get as certs.d, and the ConfigMap that tells tools of the registry (KEP-1755).
import { CERTS_D, CONFIG_TABLES, certsD } from './containerd-files.ts';
import { authorities, MADE_BY, type NodeFile, type NodeRequest } from './node-file.ts';

/** kind takes relative paths from the directory in which it is run. Nodes mount `kind/certs.d`; with a CA in it, its path is the node's. */
export function kindFiles(request: NodeRequest): readonly NodeFile[] {
  const { registry } = request;
  // /etc/hosts of these nodes is not ours, so they get what containerd 1.x reads, if there is any.
  const v4 = registry.addresses.filter((address) => !address.includes(':'));
  const addresses = v4.length > 0 ? v4 : registry.addresses;
  const mounted = certsD({ ...request, registry: { ...registry, addresses } }).map((file) => ({
    ...file,
    path: file.path.replace(/^etc\/containerd\/certs\.d/, 'kind/certs.d'),
  }));
  const [host = ''] = authorities(registry);
  return [
    { path: 'kind/cluster.yaml', mode: 0o644, content: CLUSTER },
    { path: 'kind/local-registry-hosting.yaml', mode: 0o644, content: configMap(host) },
    ...mounted,
  ];
}

/** kind's node images have version 2, also with containerd 2.x, and kind applies each patch whatever version it is of (kind#3946). */
const CLUSTER = `# ${MADE_BY}
# Where the directory kind is: kind create cluster --config=kind/cluster.yaml, then kubectl apply -f kind/local-registry-hosting.yaml
kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
containerdConfigPatches:
  - |-
    [${CONFIG_TABLES[2]}]
      config_path = "${CERTS_D}"
nodes:
  - role: control-plane
    extraMounts:
      - hostPath: kind/certs.d
        containerPath: ${CERTS_D}
        readOnly: true
`;

function configMap(host: string): string {
  return `apiVersion: v1
kind: ConfigMap
metadata:
  name: local-registry-hosting
  namespace: kube-public
data:
  localRegistryHosting.v1: |
    host: "${host}"
    hostFromContainerRuntime: "${host}"
    hostFromClusterNetwork: "${host}"
    help: "images lreg_ls"
`;
}
