// What the arguments of tasks have in common, for callers without a type checker (oci/arguments.ts).
import { ARRAY, arrayOf, FUNCTION, NUMBER, OBJECT, objectWith, orAbsent, TEXT } from '../oci/arguments.ts';

/** What every task with settings needs of them. */
export const SETTINGS = objectWith({ env: OBJECT, uid: NUMBER, temporaryDirectory: TEXT });
/** Settings of which only the signal and listeners are used. */
export const CALL = OBJECT;
export const OPTIONS = orAbsent(OBJECT);
export const LISTENER = orAbsent(FUNCTION);
export const TEXTS = arrayOf(TEXT);
/** A name of an image, parsed. */
export const REFERENCE = objectWith({ path: TEXT });
export const REFERENCES = arrayOf(REFERENCE);
/** A private registry that is open. */
export const REGISTRY = objectWith({ registry: OBJECT });
/** An image that is open. */
export const OPEN_IMAGE = objectWith({ layers: ARRAY });
