// .dockerignore: the files of a directory that are excluded from the context.
import { ImagesError } from '../../oci/errors.ts';
import { cleaned, compilePatterns, PatternError, type Patterns } from './patterns.ts';

/** The patterns in a .dockerignore, as `compilePatterns` takes them: without comments and blanks, with paths relative to the context. */
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

/** `name` is the file's name in messages. Errors: DOCKERFILE_INVALID (invalid pattern). */
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
