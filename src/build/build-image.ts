// Builds an image from a Dockerfile: evaluates the stages that the target needs, independent ones in parallel, and reuses cached steps.
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf } from '../oci/digest.ts';
import { rawManifest } from '../oci/manifest.ts';
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  OCI_CONFIG,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '../oci/media-types.ts';
import { nearest } from '../oci/nearest.ts';
import type { Platform } from '../oci/platform.ts';
import { detectSyntax } from './dockerfile/directives.ts';
import type { Instruction } from './dockerfile/instructions.ts';
import { refuseGit } from './dockerfile/parse-files.ts';
import type { TreeSource } from './files/tree-source.ts';
import { isoTime, timeRules } from './layer/times.ts';
import type { BuildRequest, BuildSeams, BuiltImage, BuiltLayer } from './request.ts';
import type { Build } from './stage/build.ts';
import { evaluateStage } from './stage/evaluate-stage.ts';
import { type BuildStage, earlierStage, type StageGraph, sourceStage, stageGraph, targetStage } from './stage/graph.ts';
import { type Config, encodeConfig, withInner, withPlatform } from './stage/image-config.ts';
import type { StageLayer, StageState } from './stage/state.ts';
import { expanded, PROXY_NAMES, platformArgs } from './stage/variables.ts';

/**
 * Builds one stage of a Dockerfile. Returns the image's manifest, config and layers; their blobs are in `seams.blobs`.
 * Errors: DOCKERFILE_INVALID (with its position), USAGE (unknown target), BUILD_FAILED, those of the seams.
 */
export async function buildImage(request: BuildRequest, seams: BuildSeams): Promise<BuiltImage> {
  const graph = stageGraph(request.dockerfile);
  const target = targetStage(graph, request.target);
  checkSources(graph);
  const { build, unusedArgs, giveUp } = createBuild(request, seams, graph, target);
  for (const { line, message } of request.dockerfile.warnings) {
    build.warn(`${request.dockerfile.source.name}:${line}: ${message}`);
  }
  const syntax = detectSyntax(request.dockerfile.source.lines.join('\n'));
  if (syntax !== undefined && !/^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@]|$)/.test(syntax)) {
    build.warn(
      `${request.dockerfile.source.name}: the frontend ${syntax} is not run here: the file is read as a Dockerfile`,
    );
  }
  const needed = neededStages(build, target);
  for (const { instructions } of needed) for (const each of instructions) if (each.kind === 'add') refuseGit(each);
  if (seams.runner && needed.some(({ instructions }) => instructions.some(runs))) {
    await seams.runner.check(request.platform, build.call);
  }
  const state = await allOf(needed, (stage) => build.stage(stage), giveUp);
  for (const name of unusedArgs()) build.warn(unusedArg(name, declaredArgs(graph)));
  return await imageOf(build, state.get(target) as StageState);
}

function createBuild(
  request: BuildRequest,
  seams: BuildSeams,
  graph: StageGraph,
  target: BuildStage,
): { readonly build: Build; unusedArgs(): readonly string[]; giveUp(reason: unknown): void } {
  const failed = new AbortController();
  const call = { signal: seams.signal ? AbortSignal.any([seams.signal, failed.signal]) : failed.signal };
  const times = timeRules(request.times);
  const used = new Set<string>();
  const states = new Map<BuildStage, Promise<StageState>>();
  const images = new Map<string, Promise<readonly StageLayer[]>>();
  let context: Promise<TreeSource> | undefined;
  const build: Build = {
    request,
    seams,
    call,
    graph,
    times,
    created: isoTime(times.made),
    globals: globalArgs(request, graph, target, used),
    context: () => {
      context ??= request.context();
      return context;
    },
    stage: (stage) => once(states, stage, () => evaluateStage(build, stage)),
    imageLayers: (reference) => once(images, reference, () => imageLayers(seams, reference, request.platform, call)),
    useArg: (name) => {
      used.add(name);
      return request.buildArgs.get(name);
    },
    warn: (message) => seams.onEvent?.({ type: 'warning', message }),
  };
  return {
    build,
    giveUp: (reason) => failed.abort(reason),
    unusedArgs: () => [...request.buildArgs.keys()].filter((name) => !used.has(name) && !PROXY_NAMES.includes(name)),
  };
}

function once<K, V>(made: Map<K, Promise<V>>, key: K, make: () => Promise<V>): Promise<V> {
  const known = made.get(key);
  if (known) return known;
  const promise = make();
  made.set(key, promise);
  return promise;
}

async function imageLayers(
  { bases }: BuildSeams,
  reference: string,
  platform: Platform,
  call: Build['call'],
): Promise<readonly StageLayer[]> {
  const { layers } = await bases.image(reference, platform, call);
  return layers.map((layer) => ({ layer, id: layer.diffId ?? layer.descriptor.digest, isNew: false, instruction: '' }));
}

/** Values of the ARGs before the first FROM. Each can use those before it, and the variables that every build has. */
function globalArgs(
  request: BuildRequest,
  { globals, stages }: StageGraph,
  target: BuildStage,
  used: Set<string>,
): ReadonlyMap<string, string> {
  const { buildArgs, dockerfile, buildPlatform, platform } = request;
  const known = new Map([
    ...platformArgs('BUILD', buildPlatform),
    ...platformArgs('TARGET', platform),
    ['TARGETSTAGE', target.name ?? (stages.length > 0 ? 'default' : '')] as const,
  ]);
  for (const name of known.keys()) {
    const given = buildArgs.get(name);
    if (given === undefined) continue;
    known.set(name, given);
    used.add(name);
  }
  for (const { args, statement } of globals) {
    for (const { name, value } of args) {
      const given = buildArgs.get(name);
      used.add(name);
      const variables = { lookup: (each: string) => known.get(each), escapeToken: dockerfile.escapeToken };
      const result = given ?? (value === undefined ? undefined : expanded(statement, value, variables));
      if (result !== undefined) known.set(name, result);
    }
  }
  return known;
}

/** The stages known to be needed before evaluation: bases, sources of COPY and of mounts. Those that ONBUILD triggers of an image need are evaluated on demand. */
function neededStages({ graph, globals, request }: Build, target: BuildStage): readonly BuildStage[] {
  const needed = new Set<BuildStage>();
  const lookup = (name: string) => globals.get(name);
  const visit = (stage: BuildStage): void => {
    if (needed.has(stage)) return;
    const { from } = stage;
    const base = expanded(from.statement, from.base.text, { lookup, escapeToken: request.dockerfile.escapeToken });
    const names = [base, ...stage.instructions.flatMap(sourcesOf)];
    for (const name of names) {
      const earlier = earlierStage(graph, stage.index, name) ?? numbered(graph, stage, name, base);
      if (earlier) visit(earlier);
    }
    needed.add(stage);
  };
  visit(target);
  return [...needed];
}

/** Checks the sources of all stages, also of those that are not needed, so that mistakes are reported before anything is done. */
function checkSources(graph: StageGraph): void {
  for (const { index, instructions } of graph.stages) {
    for (const instruction of instructions) {
      for (const name of sourcesOf(instruction)) if (name !== 'scratch') sourceStage(graph, index, name, instruction);
    }
  }
}

function numbered({ stages }: StageGraph, { index }: BuildStage, name: string, base: string): BuildStage | undefined {
  return name !== base && /^\d+$/.test(name) && Number(name) < index ? stages[Number(name)] : undefined;
}

function sourcesOf(instruction: Instruction): readonly string[] {
  if (instruction.kind === 'onbuild') return sourcesOf(instruction.trigger);
  if (instruction.kind === 'copy') return instruction.from === undefined ? [] : [instruction.from];
  if (instruction.kind !== 'run') return [];
  return instruction.mounts.flatMap((text) => /(?:^|,)from=([^,]+)/i.exec(text)?.[1] ?? []);
}

function runs(instruction: Instruction): boolean {
  return instruction.kind === 'run' || (instruction.kind === 'onbuild' && runs(instruction.trigger));
}

/** Like Promise.all, but a failure aborts the others, and an error is thrown only after all have settled: nothing runs on in the background. */
async function allOf<T>(
  stages: readonly BuildStage[],
  work: (stage: BuildStage) => Promise<T>,
  giveUp: (reason: unknown) => void,
): Promise<ReadonlyMap<BuildStage, T>> {
  const settled = await Promise.allSettled(
    stages.map(async (stage) => {
      try {
        return await work(stage);
      } catch (error) {
        giveUp(error);
        throw error;
      }
    }),
  );
  const failure = settled.find((each) => each.status === 'rejected');
  if (failure) throw failure.reason;
  return new Map(settled.map((each, at) => [stages[at] as BuildStage, (each as PromiseFulfilledResult<T>).value]));
}

async function imageOf({ request, seams, created }: Build, state: StageState): Promise<BuiltImage> {
  const layers = state.layers.map(builtLayer);
  const named: Config = request.isPlatformNamed ? withPlatform(state.config, request.platform) : state.config;
  const labels = Object.fromEntries(request.labels ?? []);
  const labelled = request.labels?.size ? withInner(named, { Labels: { ...named.inner.Labels, ...labels } }) : named;
  const config = encodeConfig(labelled, { created, diffIds: layers.map(({ diffId }) => diffId) });
  const descriptor = { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length };
  await seams.blobs.put(descriptor, config);
  const manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: descriptor,
    layers: layers.map(({ descriptor }) => ociLayer(descriptor)),
  };
  return { manifest: rawManifest(Buffer.from(JSON.stringify(manifest))), config, layers };
}

/** The descriptor with an OCI media type. A base may have Docker's media type: the blob is the same. */
function ociLayer({ mediaType, digest, size, urls }: Descriptor): Descriptor {
  return { mediaType: OCI_NAMES[mediaType] ?? mediaType, digest, size, ...(urls && { urls }) };
}

const OCI_NAMES: Readonly<Record<string, string>> = {
  [DOCKER_LAYER]: OCI_LAYER,
  [DOCKER_LAYER_GZIP]: OCI_LAYER_GZIP,
  [DOCKER_LAYER_ZSTD]: OCI_LAYER_ZSTD,
};

function builtLayer({ layer, isNew, instruction }: StageLayer): BuiltLayer {
  const { descriptor, diffId } = layer;
  if (!diffId) throw new Error(`a layer without a diffID [${descriptor.digest}]`);
  return { descriptor, diffId, isNew, instruction, layer };
}

function declaredArgs({ globals, stages }: StageGraph): readonly string[] {
  const all = [...globals, ...stages.flatMap(({ instructions }) => instructions.filter((each) => each.kind === 'arg'))];
  return all.flatMap(({ args }) => args.map(({ name }) => name));
}

function unusedArg(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return `no ARG uses --build-arg ${name}${meant ? `: did you mean ${meant}?` : ''}`;
}
