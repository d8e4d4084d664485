// What the arguments of tasks have in common, for callers without a type checker (oci/arguments.ts).
import { FUNCTION, LIST, listOf, NUMBER, OBJECT, objectWith, optional, TEXT } from '../oci/arguments.ts';

/** What every task with settings needs of them. */
export const SETTINGS = objectWith({ env: OBJECT, uid: NUMBER, temporaryDirectory: TEXT });
/** Settings of which only the signal and listeners are used. */
export const CALL = OBJECT;
export const OPTIONS = optional(OBJECT);
export const LISTENER = optional(FUNCTION);
export const TEXTS = listOf(TEXT);
/** A name of an image, parsed. */
export const REFERENCE = objectWith({ path: TEXT });
export const REFERENCES = listOf(REFERENCE);
/** A private registry that is open. */
export const REGISTRY = objectWith({ registry: OBJECT });
/** An image that is open. */
export const IMAGE = objectWith({ layers: LIST });
