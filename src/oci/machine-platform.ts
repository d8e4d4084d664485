// The platform whose images are wanted where nobody says otherwise: Linux on this machine's processor.
import { normalisePlatform, type Platform } from './platform.ts';

export function machinePlatform(): Platform {
  return normalisePlatform({ os: 'linux', architecture: process.arch });
}
