// Access control of a registry where nobody can log in: addresses decide.
import { askerAddress, type Neighbours } from './asker-address.ts';
import type { AccessControl } from './contract.ts';
import type { MayDo } from './permitted.ts';

/** Credentials that a client sends are ignored, as other registries without logins do. */
export function withoutLogin(mayDo: MayDo, neighbours: Neighbours): AccessControl {
  return {
    identify: (head) => ({ via: 'nobody', address: askerAddress(head, neighbours) }),
    mayDo,
    unknown: (head) => ({ address: askerAddress(head, neighbours) }),
    hasToLogIn: () => false,
    challenge: () => undefined,
  };
}
