// COPY and ADD.
import type { TarHeader } from '../../tar/entry.ts';
import type { Patterns } from '../context/patterns.ts';
import { heredocText } from '../dockerfile/heredoc.ts';
import { refuseGit } from '../dockerfile/parse-files.ts';
import type { ChangeMode } from '../files/chmod.ts';
import type { CopyRules } from '../files/copy-files.ts';
import { normalised } from '../files/globs.ts';
import { layerArchiveWriter } from '../files/layer-archive.ts';
import { hasNames } from '../files/owners.ts';
import { createTarget } from '../files/target.ts';
import { writeUnpacked } from '../files/write-archive.ts';
import { createCopyPlan } from '../files/write-copies.ts';
import type { Of, Step } from './build.ts';
import { excludeOf, modeOf, ownerIn, parentsOf, placing, type Said, type SourceAction } from './copy-arguments.ts';
import { actionsOf, originOf } from './files-sources.ts';
import { layerStep, type StepResult, type StepWork } from './layer-step.ts';
import { treeOf } from './state.ts';
import { expanded, expandedText } from './variables.ts';

type FilesInstruction = Of<'copy' | 'add'>;

export interface FilesResult extends StepResult {
  /** For the history. */
  readonly text: string;
}

/** Errors: DOCKERFILE_INVALID, those of sources and of the store. */
export async function filesStep(step: Step, instruction: FilesInstruction): Promise<FilesResult> {
  const { statement } = instruction;
  const { state, variables } = step;
  const value = (word: string) => expanded(statement, word, variables);
  const optional = (word: string | undefined) => (word === undefined ? undefined : value(word) || undefined);
  const destination = value(instruction.destination.text);
  const said: Said = {
    instruction,
    destination: absolute(state.config.inner.WorkingDir ?? '/', destination),
    chown: optional(instruction.chown),
    chmod: optional(instruction.chmod),
    exclude: instruction.exclude,
    sources: instruction.sources.map((word) => ({ word, text: value(word.text) })),
    files: instruction.heredocs.map((heredoc) => {
      const text = heredocText(heredoc);
      return { name: heredoc.name, content: heredoc.expands ? expandedText(statement, text, variables) : text };
    }),
  };
  if (instruction.kind === 'add') refuseGit(instruction, value);
  const mode = modeOf(said);
  const exclude = excludeOf(said);
  const from = await originOf(step, instruction);
  // With --link, a user name must be resolved for the key. Without it, the layers below are in the key and decide.
  const owner = isLinked(said) && said.chown && hasNames(said.chown) ? await ownerIn(step, said) : said.chown;
  const actions = await actionsOf(step, said, from);
  const below = isLinked(said) ? [] : state.layers.map(({ id }) => id);
  const { destination: to, chmod, exclude: excluded } = said;
  const key = [
    'files',
    2,
    instruction.kind,
    below,
    to,
    owner,
    chmod,
    excluded,
    parentsOf(instruction),
    actions.map(({ id }) => id),
  ];
  const result = await placing(said, () =>
    layerStep(key, step.settings, () => work(step, said, { actions, mode, exclude })),
  );
  return { ...result, text: textOf(said, destination) };
}

/** Whether the layer is independent of those below it. As in BuildKit, it is not if --chmod is given. */
function isLinked({ instruction, chmod }: Said): boolean {
  return instruction.link && chmod === undefined;
}

interface Doing {
  readonly actions: readonly SourceAction[];
  readonly mode: ChangeMode | undefined;
  readonly exclude: Patterns | undefined;
}

async function work(step: Step, said: Said, doing: Doing): Promise<StepWork> {
  const { build, state } = step;
  const { instruction } = said;
  const tree = await treeOf(isLinked(said) ? [] : state.layers, build.call);
  const owner = said.chown === undefined ? undefined : await ownerIn(step, said);
  const octal = said.chmod !== undefined && /^[0-7]+$/.test(said.chmod);
  const rules: CopyRules = {
    destination: said.destination,
    owner,
    mode: doing.mode,
    directoryMode: octal && doing.mode ? doing.mode(0, true) & 0o777 : 0o755,
    exclude: doing.exclude,
    parents: parentsOf(instruction),
    time: build.times.made,
  };
  const archive = layerArchiveWriter(build.times.of);
  async function* bytes(): AsyncGenerator<Uint8Array> {
    let collect: (path: string, header: TarHeader) => void = () => {};
    const target = createTarget(tree, (path, header) => collect(path, header));
    for (let at = 0; at < doing.actions.length; ) {
      const action = doing.actions[at] as SourceAction;
      if (action.kind === 'unpack') {
        const emitted: [string, TarHeader][] = [];
        collect = (path, header) => emitted.push([path, header]);
        yield* writeUnpacked(action.file, { target, rules, emitted }, archive, build.call);
        at++;
        continue;
      }
      const plan = createCopyPlan();
      collect = plan.collect;
      for (let next = doing.actions[at]; next?.kind === 'copy'; next = doing.actions[++at]) {
        await next.copy(rules, { target, onContent: plan.onContent });
      }
      yield* plan.write(archive, build.call);
    }
    yield* archive.finish();
  }
  return { archive: bytes(), index: archive.index, isEmpty: () => archive.index().entries.length === 0 };
}

/** The absolute path of a destination, which may be relative to the working directory. A trailing `/` is kept. An empty destination is the working directory itself. */
function absolute(workdir: string, destination: string): string {
  if (destination.startsWith('/')) return destination;
  const path = destination === '' || destination === '.' ? './' : destination;
  return `/${normalised(workdir)}/${path}`.replaceAll(/\/{2,}/g, '/');
}

function textOf(said: Said, destination: string): string {
  const { instruction, chown, chmod, sources, files } = said;
  const words = [
    instruction.name,
    ...(parentsOf(instruction) ? ['--parents'] : []),
    ...(chown === undefined ? [] : [`--chown=${chown}`]),
    ...(chmod === undefined ? [] : [`--chmod=${chmod}`]),
    ...sources.map(({ text }) => text),
    ...files.map(({ name }) => `<<${name}`),
    destination,
  ];
  return `${words.join(' ')} # buildkit`;
}
