// The end of an answer, whoever brought it about. Relies on node:http.
import type { ServerResponse } from 'node:http';

/** Runs when the answer has been sent or its client has gone; at once where that is so already: then nothing closes any more. */
export function whenClosed(response: ServerResponse, work: () => void): void {
  if (response.closed) work();
  else response.once('close', work);
}
