// What is public of nodes/: the files by which the runtimes of a node find the private registry. Pure.
export type { NodeFinding, RuntimeCheck } from './check/contract.ts';
export type { TestPull } from './check/pull-script.ts';
export type { NodeFile, NodeRegistry, NodeRequest, NodeRuntime, SharedKind } from './node-file.ts';
export { bootFiles, newNodeFiles, nodeFiles } from './node-files.ts';
export { DOCKER_HUB_ALIASES, WELL_KNOWN_HOSTS } from './well-known-hosts.ts';
