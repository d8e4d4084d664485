// The address of Docker Hub, which is not the host in image names.
import { DEFAULT_HOST } from '../../../oci/reference.ts';

/** The host to connect to, for a host in an image name. */
export function defaultAddress(host: string): string {
  return host === DEFAULT_HOST ? 'registry-1.docker.io' : host;
}
