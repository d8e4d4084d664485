// The end of an answer, for whatever reason. Relies on node:http.
import type { ServerResponse } from 'node:http';
import { isClosed } from './either-http.ts';

/** Runs `work` when the answer has been sent or the client has gone; at once if that has happened already, because no event would follow. */
export function whenClosed(response: ServerResponse, work: () => void): void {
  if (isClosed(response)) work();
  else response.once('close', work);
}
