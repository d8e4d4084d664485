// .dockerignore: which files of a directory are no part of the context.
import { ImagesError } from '../../oci/errors.ts';
import { cleaned, compilePatterns, PatternError, type Patterns } from './patterns.ts';

/** Lines that are patterns, in the form that `compilePatterns` takes: comments and blanks away, paths relative to the context. */
export function ignoreLines(text: string): readonly string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const [not, rest] = line.startsWith('!') ? ['!', line.slice(1).trim()] : ['', line];
      const pattern = rest === '' ? '' : cleaned(rest);
      return `${not}${pattern.length > 1 ? pattern.replace(/^\//, '') : pattern}`;
    });
}

/** `name` is the file's, for messages. Errors: DOCKERFILE_INVALID for a pattern that is none. */
export function parseIgnore(name: string, text: string): Patterns {
  try {
    return compilePatterns(ignoreLines(text));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ImagesError('DOCKERFILE_INVALID', `${name}: ${error.message}`, {
      hint: 'Its patterns are *, ?, [a-z], ** and, in front, ! to take back.',
      cause: error,
    });
  }
}
