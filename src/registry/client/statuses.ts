// Sets of statuses, one for each kind of request, because registries and proxies in front of them use different ones for the same result.

/** For a GET: success, also if a proxy says that it may have modified the content. */
export const FOUND: readonly number[] = [200, 203];

/** For a change: success. The specification wants 201 for some and 202 for others; callers that need to know which look at the status. */
export const DONE: readonly number[] = [200, 201, 202, 204];

const CLIENT_ERRORS = Array.from({ length: 100 }, (_, at) => 400 + at);
/** Statuses that say nothing about the content (too early, too many requests, proxy authentication): a GET would get the same. */
const NOT_NOW: readonly number[] = [407, 408, 425, 429];

/**
 * For a HEAD: statuses that say nothing, so that one GET decides. These are all that a proxy may answer to a method that it does not support, and a success
 * without content. (401 gets here only when authentication has been tried.)
 */
export const NOT_SERVED: readonly number[] = [
  ...[201, 202, 204, 205, 206, 300, 304],
  ...CLIENT_ERRORS.filter((status) => !NOT_NOW.includes(status)),
  ...[500, 501],
];
