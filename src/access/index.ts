// The public face of access/: who may do what in a registry, and who asks.
export { type AddressRange, parseAddressRange, plainAddress } from './address-range.ts';
export type { Neighbours } from './asker-address.ts';
export type { AccessControl, AccessReply, AccessScope, Action, Asker, RequestHead, UnknownAsker } from './contract.ts';
export { type Asking, asAsking, asServer } from './current-asker.ts';
export { changedHtpasswd, type Htpasswd, parseHtpasswd } from './htpasswd.ts';
export { type AccessControlOptions, createAccessControl } from './login-control.ts';
export { isFromOwner, ownerProof, type StoreOwner } from './owner-proof.ts';
export { hashPassword } from './password-hash.ts';
export { type MayDo, permitted } from './permitted.ts';
export { permittedNames } from './permitted-names.ts';
export { type AccessRule, type AccessRules, mayDo } from './rules.ts';
export {
  type AccessToken,
  createTokens,
  type MachineToken,
  type MachineTokens,
  type TokenContent,
  type TokenHolder,
  type TokenKind,
  type TokenOptions,
  type Tokens,
} from './tokens.ts';
export { withoutLogin } from './without-login.ts';
