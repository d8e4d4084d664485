// Errors for an image that FROM, COPY --from or RUN --mount=from= names and that is not available: with the position, and a stage that may have been meant.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Instruction, Word } from '../dockerfile/instructions.ts';
import { mistake, type Statement } from '../dockerfile/source.ts';
import { type Step, stageLabel } from './build.ts';
import { type StageGraph, sourceStage } from './graph.ts';
import type { StageLayer } from './state.ts';

/** The layers of what `--from=` or `from=` names, and its name in messages. Errors: DOCKERFILE_INVALID (neither a stage nor an image). */
export async function layersFrom(
  { build, stage }: Step,
  instruction: Instruction,
  from: string,
): Promise<{ readonly name: string; readonly layers: readonly StageLayer[] }> {
  const { graph } = build;
  const source = sourceStage(graph, stage.index, from, instruction);
  if (source) return { name: `stage ${stageLabel(source)}`, layers: (await build.stage(source)).layers };
  try {
    return { name: from, layers: await build.imageLayers(from) };
  } catch (error) {
    const { statement } = instruction;
    const at = Math.max(statement.text.indexOf(`from=${from}`) + 'from='.length, 0);
    throw withoutImage(graph, stage.index, statement, { name: from, word: { text: from, at } }, error);
  }
}

interface Wanted {
  readonly name: string;
  /** As it is written. */
  readonly word: Word;
  /** Further suggestions, beside earlier stages. */
  readonly others?: readonly string[];
}

/** The error code is kept: the network may be the reason, too. */
export function withoutImage(
  { stages }: StageGraph,
  index: number,
  statement: Statement,
  { name, word: { text, at }, others = [] }: Wanted,
  error: unknown,
): unknown {
  if (!isImagesError(error) || error.code === 'ABORTED') return error;
  const names = stages.slice(0, index).flatMap((each) => (each.name ? [each.name] : []));
  const message = error.message.includes(name) ? error.message : `${name}: ${error.message}`;
  const shown = mistake(statement, message, {
    at,
    length: text.length,
    word: name,
    candidates: [...names, ...others],
    ...(error.hint !== undefined && { hint: error.hint }),
  });
  const { excerpt, hint, position } = shown;
  const code = UNKNOWN.includes(error.code) ? shown.code : error.code;
  return new ImagesError(code, shown.message, {
    excerpt,
    cause: error,
    ...(hint !== undefined && { hint }),
    ...(position && { position }),
  });
}

const UNKNOWN: readonly string[] = ['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'PLATFORM_UNKNOWN', 'REFERENCE_INVALID'];
