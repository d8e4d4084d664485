// What statuses mean whatever was asked: one set for all requests of a kind, because registries, and what stands in front of them, choose among them.

/** Of a GET: what was asked for, also where a proxy says that it may have changed it. */
export const FOUND: readonly number[] = [200, 203];

/** Of what changes something: the specification wants 201 of some, 202 of others, and whoever needs to know which it was looks. */
export const DONE: readonly number[] = [200, 201, 202, 204];

/** Of a HEAD that says nothing: one GET decides. (401 among them: it comes here when everything has been tried that a challenge asks for.) */
export const NOT_SERVED: readonly number[] = [400, 401, 403, 404, 405, 406, 410, 411, 415, 500, 501];
