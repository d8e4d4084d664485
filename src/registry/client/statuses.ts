// What statuses mean whatever was asked: one set for all requests of a kind, because registries, and what stands in front of them, choose among them.

/** Of a GET: what was asked for, also where a proxy says that it may have changed it. */
export const FOUND: readonly number[] = [200, 203];

/** Of what changes something: the specification wants 201 of some, 202 of others, and whoever needs to know which it was looks. */
export const DONE: readonly number[] = [200, 201, 202, 204];

const CLIENT_ERRORS = Array.from({ length: 100 }, (_, at) => 400 + at);
/** Too early, too often, or for the proxy on the way: they say nothing of what is there, and a GET would hear the same. */
const NOT_NOW: readonly number[] = [407, 408, 425, 429];

/**
 * Of a HEAD that says nothing: one GET decides. Whatever else a proxy may say of a method that it does not like, and a success that tells of no
 * content. (401 comes here when everything has been tried that a challenge asks for.)
 */
export const NOT_SERVED: readonly number[] = [
  ...[201, 202, 204, 205, 206, 300, 304],
  ...CLIENT_ERRORS.filter((status) => !NOT_NOW.includes(status)),
  ...[500, 501],
];
