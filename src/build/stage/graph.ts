// The stages of a Dockerfile, and references between them.
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';
import type { Arg, From, Instruction } from '../dockerfile/instructions.ts';
import type { Dockerfile } from '../dockerfile/parse.ts';
import { mistake } from '../dockerfile/source.ts';

export interface BuildStage {
  readonly index: number;
  readonly name: string | undefined;
  readonly from: From;
  readonly instructions: readonly Instruction[];
}

export interface StageGraph {
  /** ARGs before the first FROM. */
  readonly globals: readonly Arg[];
  readonly stages: readonly BuildStage[];
}

/** Errors: DOCKERFILE_INVALID (other instructions before the first FROM, or no FROM at all). */
export function stageGraph({ instructions }: Dockerfile): StageGraph {
  const globals: Arg[] = [];
  const stages: (BuildStage & { readonly instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    const current = stages.at(-1);
    if (instruction.kind === 'from') {
      stages.push({ index: stages.length, name: instruction.stage, from: instruction, instructions: [] });
    } else if (current) current.instructions.push(instruction);
    else if (instruction.kind === 'arg') globals.push(instruction);
    else {
      throw mistake(instruction.statement, `${instruction.name} before the first FROM`, {
        hint: 'Only ARG can stand there: begin with FROM image, or FROM scratch.',
      });
    }
  }
  const last = instructions.at(-1);
  if (stages.length === 0 && last) {
    throw mistake(last.statement, 'no FROM in the file', { hint: 'Begin with FROM image, or FROM scratch.' });
  }
  return { globals, stages };
}

/** The stage to build, by name or number; the last one if absent. Errors: USAGE. */
export function targetStage({ stages }: StageGraph, target: string | undefined): BuildStage {
  if (target === undefined) return stages.at(-1) as BuildStage;
  const found = stageCalled(stages, target) ?? (/^\d+$/.test(target) ? stages[Number(target)] : undefined);
  if (found) return found;
  const names = stages.flatMap(({ name }) => (name ? [name] : []));
  const meant = nearest(target, names);
  throw new ImagesError('USAGE', `no such stage [${target}]`, {
    hint: meant ? `Did you mean ${meant}?` : names.length > 0 ? `There is: ${names.join(' ')}` : 'No stage has a name.',
  });
}

/** The last stage of this name before `index`: a later stage can reuse a name. */
export function earlierStage({ stages }: StageGraph, index: number, name: string): BuildStage | undefined {
  return stageCalled(stages.slice(0, index), name);
}

/**
 * Resolves `--from=` and `from=` in the stage of this index: an earlier stage by name or number. Returns `undefined` for an image.
 * Errors: DOCKERFILE_INVALID (a later stage, the stage itself, or an unknown number).
 */
export function sourceStage(
  graph: StageGraph,
  index: number,
  from: string,
  instruction: Instruction,
): BuildStage | undefined {
  const at = Math.max(instruction.statement.text.indexOf(from), 0);
  if (/^\d+$/.test(from)) {
    const found = graph.stages[Number(from)];
    if (found && found.index < index) return found;
    const many = index === 1 ? 'there is one, 0' : `they are 0 to ${index - 1}`;
    throw mistake(instruction.statement, `no earlier stage has this number [${from}]`, {
      at,
      length: from.length,
      hint: index === 0 ? 'This is the first stage.' : `Stages before this one: ${many}.`,
    });
  }
  const earlier = earlierStage(graph, index, from);
  if (earlier) return earlier;
  const later = stageCalled(graph.stages, from);
  if (!later) return undefined;
  const what = later.index === index ? 'a stage cannot take from itself' : 'this stage comes later';
  throw mistake(instruction.statement, `${what} [${from}]`, {
    at,
    length: from.length,
    hint: 'Stages take from those that stand before them.',
  });
}

function stageCalled(stages: readonly BuildStage[], name: string): BuildStage | undefined {
  const lower = name.toLowerCase();
  return stages.findLast((stage) => stage.name === lower);
}
