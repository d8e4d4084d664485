// Docker Hub's name is not where it lives.
import { DEFAULT_HOST } from '../../../oci/reference.ts';

/** The host to connect to for the host in a name. */
export function defaultAddress(host: string): string {
  return host === DEFAULT_HOST ? 'registry-1.docker.io' : host;
}
