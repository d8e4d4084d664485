// Errors for broken compressed data, with the same wording for all compressions.
import { ImagesError } from '../../oci/errors.ts';
import type { Compression } from './compression.ts';

export function breaksOff(compression: Compression): ImagesError {
  return invalid(compression, 'break off');
}

export function compressionInvalid(compression: Compression, cause: unknown): ImagesError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ImagesError('COMPRESSION_INVALID', `the ${compression} bytes are damaged [${reason}]`, { cause });
}

export function trailing(compression: Compression): ImagesError {
  return invalid(compression, 'have something else after their end');
}

function invalid(compression: Compression, what: string): ImagesError {
  return new ImagesError('COMPRESSION_INVALID', `the ${compression} bytes ${what}`);
}
