// The public face of access/: who may do what in a registry.
export { type AddressRange, parseAddressRange, plainAddress } from './address-range.ts';
export type { AccessControl, AccessReply, AccessScope, Action, Asker, RequestHead } from './contract.ts';
export { type Asking, asAsking, asServer } from './current-asker.ts';
export { type MayDo, permitted } from './permitted.ts';
export { permittedNames } from './permitted-names.ts';
export { type AccessRule, type AccessRules, mayDo } from './rules.ts';
export { withoutLogin } from './without-login.ts';
