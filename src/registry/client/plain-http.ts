// Where plain http is allowed: for the endpoint if the user says so, for hosts that the machine's configuration calls insecure, and on loopback. An answer
// cannot lead to plain http anywhere else.
import { describeHttpUrl, type HttpUrl, hostAndPort, isLoopbackHost } from '../../io/http/http-url.ts';
import { ImagesError } from '../../oci/errors.ts';

export interface PlainHttpRule {
  /** For URLs in answers. The endpoint's own scheme is decided elsewhere. */
  allows(url: HttpUrl): Promise<boolean>;
  /** Errors: BAD_ANSWER. */
  check(url: HttpUrl, what: string): Promise<void>;
}

/** `lenient`: plain http is used with the endpoint itself. `mayBePlain`: what the machine's configuration says about other hosts. */
export function plainHttpRule(
  endpoint: { readonly host: string; readonly lenient: boolean },
  mayBePlain: (host: string) => Promise<boolean>,
): PlainHttpRule {
  const name = (host: string) => hostAndPort(host, false).hostname;
  const allows = async (url: HttpUrl): Promise<boolean> => {
    if (url.secure || !url.ledBy) return true;
    if (endpoint.lenient && name(url.host) === name(endpoint.host)) return true;
    return isLoopbackHost(url.host) || (await mayBePlain(url.host));
  };
  return {
    allows,
    async check(url, what) {
      if (await allows(url)) return;
      throw new ImagesError('BAD_ANSWER', `${url.ledBy?.host} leads ${what} to plain http at ${url.host}`, {
        hint: `If ${describeHttpUrl(url)} is meant, mark ${url.host} insecure in /etc/containers/registries.conf.`,
      });
    },
  };
}
