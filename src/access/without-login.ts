// Access control of a registry where nobody can log in but its owner, from this machine: addresses decide.
import { askerAddress, type Neighbours } from './asker-address.ts';
import type { AccessControl } from './contract.ts';
import { isFromOwner, type StoreOwner } from './owner-proof.ts';
import type { MayDo } from './permitted.ts';

/** Credentials that a client sends are ignored, as other registries without logins do, but for the owner's. */
export function withoutLogin(mayDo: MayDo, neighbours: Neighbours, owner?: StoreOwner): AccessControl {
  return {
    identify: (head) => {
      const address = askerAddress(head, neighbours);
      const { authorization } = head.headers;
      const isOwner =
        owner !== undefined &&
        authorization !== undefined &&
        neighbours.isLocal(address) &&
        isFromOwner(authorization, owner, Date.now());
      return { via: isOwner ? 'owner' : 'nobody', address };
    },
    mayDo,
    unknown: (head) => ({ address: askerAddress(head, neighbours) }),
    hasToLogIn: () => false,
    challenge: () => undefined,
  };
}
