// A policy: tells which manifests clients asked for and did not get because they are not here, also if they could not be fetched.
import { isDigest } from '../../oci/digest.ts';
import { isImagesError } from '../../oci/errors.ts';
import {
  canonicalHost,
  formatReference,
  fullReference,
  type Reference,
  tryParseReference,
} from '../../oci/reference.ts';
import type { ReadOptions, Registry } from '../contract.ts';
import { FORWARD, forwarding } from './forwarding.ts';

export interface Miss {
  /** `HOST/PATH:TAG` or `HOST/PATH@DIGEST`; without a host if none was named. */
  readonly reference: string;
  readonly host?: string;
}

/** A registry that tells `onMiss`, and the same for a function that fetches what is missing before it is looked for. */
export function tellingMisses<
  Prepare extends (repository: string, reference: string, options: ReadOptions) => Promise<void>,
>(
  registry: Registry,
  onMiss: (miss: Miss) => void,
  prepare?: Prepare,
): { readonly registry: Registry; readonly prepare?: Prepare } {
  const telling = async <T>(
    { repository, reference, options }: { repository: string; reference: string; options: ReadOptions | undefined },
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (isMiss(error) && !isAttachment(reference)) onMiss(missOf(repository, reference, options));
      throw error;
    }
  };
  return {
    ...(prepare && {
      prepare: ((repository, reference, options) =>
        telling({ repository, reference, options }, () => prepare(repository, reference, options))) as Prepare,
    }),
    registry: forwarding<Registry>(registry, {
      getManifest: (repository, reference, options) =>
        telling({ repository, reference, options }, () => registry.getManifest(repository, reference, options)),
      statManifest: FORWARD,
      getBlob: FORWARD,
      statBlob: FORWARD,
      putBlob: FORWARD,
      openUpload: FORWARD,
      mountBlob: FORWARD,
      putManifest: FORWARD,
      deleteTag: FORWARD,
      deleteManifest: FORWARD,
      deleteBlob: FORWARD,
      repositories: FORWARD,
      tags: FORWARD,
      referrers: FORWARD,
      partialBytes: FORWARD,
    }),
  };
}

function missOf(repository: string, reference: string, { host, askedAs }: ReadOptions = {}): Miss {
  const full = tryParseReference(repository);
  const named = host === undefined ? undefined : canonicalHost(host);
  const what = isDigest(reference) ? { digest: reference } : { tag: reference };
  if (full?.host !== undefined && (named === undefined || named === full.host)) {
    return missAt(full.host, full.path, what);
  }
  const meant = named ?? askedAs;
  if (meant === undefined) return { reference: formatReference({ path: repository, ...what }) };
  return missAt(meant, repository, what);
}

function missAt(host: string, path: string, what: Pick<Reference, 'tag' | 'digest'>): Miss {
  return { reference: formatReference(fullReference({ host, path, ...what })), host };
}

function isMiss(error: unknown): boolean {
  return isImagesError(
    error,
    'MANIFEST_UNKNOWN',
    'NAME_UNKNOWN',
    'UNREACHABLE',
    'TIMEOUT',
    'TOOMANYREQUESTS',
    'DENIED',
    'SERVER_ERROR',
    'BAD_ANSWER',
    'BROKEN_OFF',
  );
}

/** Signatures, and tags of the Referrers Tag Schema, are looked for whether there are any or not. */
function isAttachment(reference: string): boolean {
  return /^sha(?:256|512)-[0-9a-f]{64}/.test(reference);
}
