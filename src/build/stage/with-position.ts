// Adds the position in the Dockerfile to errors of steps that do not know it. Everything else is kept.
import { ImagesError, isImagesError } from '../../oci/errors.ts';
import type { Word } from '../dockerfile/instructions.ts';
import { mistake, type Statement } from '../dockerfile/source.ts';

/** The position of the whole instruction if no word is given. An error that has a position keeps it. */
export function withPosition(statement: Statement, word: Word | undefined, error: unknown): unknown {
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
