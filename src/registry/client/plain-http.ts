// Where plain http is good enough: at the host itself where its user says so, at what the machine's settings call insecure, on loopback. No answer leads to any other.
import { describeHttpUrl, type HttpUrl, hostAndPort, isLoopbackHost } from '../../io/http/http-url.ts';
import { ImagesError } from '../../oci/errors.ts';

export interface PlainHttpRule {
  /** For what an answer leads to; the endpoint's own scheme is not its business. */
  allows(url: HttpUrl): Promise<boolean>;
  /** Errors: BAD_ANSWER. */
  check(url: HttpUrl, what: string): Promise<void>;
}

/** `lenient`: plain http is spoken with the endpoint. `mayBePlain`: what the machine's settings say of other hosts. */
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
