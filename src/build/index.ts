// What is public of build/: an image is made from a Dockerfile and a context; everything from outside comes through seams.

export { buildImage } from './build-image.ts';
export { type BuildDifferences, compareBuilds } from './compare-builds.ts';
export { fileInMemory, filesSource, type OutsideFile } from './context/one-file.ts';
export type {
  BaseImage,
  Bases,
  BlobInProgress,
  BlobWriter,
  RunMount,
  RunNetwork,
  Runner,
  RunRequest,
  RunResult,
  RunUser,
  StepCache,
} from './contract.ts';
export type { Instruction } from './dockerfile/instructions.ts';
export { type Dockerfile, parseDockerfile } from './dockerfile/parse.ts';
export type { SourceArchive, TreeSource } from './files/tree-source.ts';
export type { BuiltLayerCompression } from './layer/compression.ts';
export type { TimeChoice } from './layer/times.ts';
export type { BuiltLayerBlob } from './layer/write-layer.ts';
export type {
  BuildEvent,
  BuildNetwork,
  BuildRequest,
  BuildSeams,
  BuiltImage,
  BuiltLayer,
  Download,
  StepOutcome,
} from './request.ts';
export type {
  Lack as RunLack,
  Machine as RunHost,
  Owners as RunOwners,
  Probe as RunProbe,
  RunMachine,
  RunnerSettings,
  RuntimeName as RunRuntime,
} from './run/contract.ts';
export { createRunMachine } from './run/create-run-machine.ts';
