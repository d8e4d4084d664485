// Access control of a registry where nobody can log in: addresses decide.
import { askerAddress } from './asker-address.ts';
import type { AccessControl } from './contract.ts';
import type { MayDo } from './permitted.ts';

/** Credentials that a client sends are ignored, as other registries without logins do. `isLocal`: whether an address is this machine's. */
export function withoutLogin(mayDo: MayDo, isLocal: (address: string) => boolean): AccessControl {
  return {
    identify: (head) => ({ via: 'nobody', address: askerAddress(head, isLocal) }),
    mayDo,
    unknown: (head) => ({ address: askerAddress(head, isLocal) }),
    hasToLogIn: () => false,
    challenge: () => undefined,
  };
}
