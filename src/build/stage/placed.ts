// Errors of steps that do not know where they stand: the place in the Dockerfile is added, all else stays.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Word } from '../dockerfile/instructions.ts';
import { mistake, type Statement } from '../dockerfile/source.ts';

/** The whole instruction where no word is to blame. What has a place already keeps it. */
export function placedAt(statement: Statement, word: Word | undefined, error: unknown): unknown {
  if (!isImagesError(error) || error.code === 'ABORTED' || error.position) return error;
  const { at = 0, text } = word ?? { text: statement.text.trimEnd() };
  const { excerpt, position, message } = mistake(statement, error.message, { at, length: text.length });
  return new ImagesError(error.code, message, {
    excerpt,
    ...(position && { position }),
    ...(error.hint !== undefined && { hint: error.hint }),
    ...(error.status !== undefined && { status: error.status }),
    cause: error,
  });
}
