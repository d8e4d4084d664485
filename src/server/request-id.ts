// The id of a request: what its client, or a proxy before the registry, calls it; else a new one. It is in the answer, in all that is told of the request, and is
// sent on to the registry that is asked for it.
import { randomBytes } from 'node:crypto';

/** Short and plain: an id is written into logs and headers as it is. */
const PLAIN = /^[\w.:+=-]{1,64}$/;

/** Gives each request its id: one that the client sends as X-Request-ID and that is short and plain, else a new one, unlike those of other processes. */
export function requestIds(): (sent: string | readonly string[] | undefined) => string {
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return (sent) => {
    if (typeof sent === 'string' && PLAIN.test(sent)) return sent;
    count += 1;
    return `${prefix}-${count.toString(36)}`;
  };
}
