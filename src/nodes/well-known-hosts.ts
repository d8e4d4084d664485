// The registries that manifests name most. One list for all: what `--proxy` fetches from, and what nodes are told to ask the private registry for.

/** Hosts as references name them, `docker.io` first. Listed for users in docs/registries.md; a test compares. */
export const WELL_KNOWN_HOSTS: readonly string[] = [
  'docker.io',
  'quay.io',
  'registry.k8s.io',
  'ghcr.io',
  'gcr.io',
  'k8s.gcr.io',
  'mcr.microsoft.com',
  'public.ecr.aws',
  'registry.gitlab.com',
  'docker.elastic.co',
  'nvcr.io',
  'registry.access.redhat.com',
  'registry.redhat.io',
  'cgr.dev',
  'lscr.io',
  'container-registry.oracle.com',
  'xpkg.upbound.io',
];

/** The names by which clients reach Docker Hub beside `docker.io`. */
export const DOCKER_HUB_ALIASES: readonly string[] = ['index.docker.io', 'registry-1.docker.io'];
