// The default platform: Linux on this machine's processor.
import { normalisePlatform, type Platform } from './platform.ts';

/** The platform of images that run on this machine. */
export function machinePlatform(): Platform {
  return normalisePlatform({ os: 'linux', architecture: process.arch });
}
