// Translates Node's socket and TLS errors into ImagesErrors that name the host.
import { ImagesError } from '../../oci/errors.ts';

/** The hint for interrupted transfers: the next run resumes them. */
export const BROKEN_OFF_HINT = 'Check the network, and that the server runs; then run it again.';

const TLS_CODE =
  /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_|ERR_SSL_|EPROTO$|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH)/;

/** Node's code of an error, or of the error that it wraps. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('code' in error && typeof error.code === 'string' && !(error instanceof ImagesError)) return error.code;
  return systemCode(error.cause);
}

/**
 * The ImagesError for a failed connection: UNREACHABLE (name, route, connection refused, TLS), TIMEOUT, BROKEN_OFF (connection lost), BAD_ANSWER (not HTTP).
 * An ImagesError and anything that is no network error are returned unchanged.
 */
export function httpFailure(host: string, cause: unknown): unknown {
  if (cause instanceof ImagesError || !(cause instanceof Error)) return cause;
  const code = systemCode(cause) ?? '';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'EAI_FAIL') {
    return unreachable(host, 'its name cannot be resolved', 'Check the name, the network, and http_proxy.', cause);
  }
  if (code === 'ECONNREFUSED') {
    return unreachable(host, 'it refuses the connection', 'Check the port, and that the server runs.', cause);
  }
  if (code === 'EHOSTUNREACH' || code === 'ENETUNREACH' || code === 'ENETDOWN' || code === 'EADDRNOTAVAIL') {
    return unreachable(host, 'there is no route to it', 'Check the network, and http_proxy.', cause);
  }
  if (code === 'ETIMEDOUT') {
    const hint = 'Try again later, or check the network and http_proxy.';
    return new ImagesError('TIMEOUT', `${host} does not answer`, { hint, cause });
  }
  if (TLS_CODE.test(code)) return tlsFailure(host, code, cause);
  if (code.startsWith('HPE_')) {
    const hint = 'Check host and port: no web server listens there.';
    return new ImagesError('BAD_ANSWER', `${host} does not speak HTTP [${code}]`, { hint, cause });
  }
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNABORTED' || code === 'ERR_STREAM_PREMATURE_CLOSE') {
    return new ImagesError('BROKEN_OFF', `${host} closed the connection`, { hint: BROKEN_OFF_HINT, cause });
  }
  return cause;
}

const proxyFailures = new WeakSet<object>();

/** The same for a failure at a proxy (`proxy HOST:PORT`) on the way: it says nothing about the host. */
export function proxyFailure(proxy: string, cause: unknown): unknown {
  const failure = httpFailure(proxy, cause);
  if (failure === cause || !(failure instanceof ImagesError)) return failure;
  const named = new ImagesError(failure.code, failure.message, {
    hint: 'Check http_proxy, https_proxy and no_proxy.',
    cause,
  });
  proxyFailures.add(named);
  return named;
}

/** Whether the other side does not speak TLS. Then an insecure host may be asked again over plain http. */
export function speaksNoTls(error: unknown): boolean {
  if (error instanceof ImagesError && proxyFailures.has(error)) return false;
  const code = systemCode(error) ?? '';
  return code === 'EPROTO' || code === 'ECONNREFUSED' || code === 'ECONNRESET' || code.startsWith('ERR_SSL_');
}

function unreachable(host: string, why: string, hint: string, cause: Error): ImagesError {
  return new ImagesError('UNREACHABLE', `cannot reach ${host}: ${why}`, { hint, cause });
}

function tlsFailure(host: string, code: string, cause: Error): ImagesError {
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    const hint = `If it speaks plain http, mark it insecure in /etc/containers/registries.conf: [[registry]] location = "${host}", insecure = true.`;
    return unreachable(host, `TLS failed [${reasonOf(cause)}]`, hint, cause);
  }
  return unreachable(host, `its certificate is not accepted [${code}]`, certificateHint(host, code), cause);
}

/** A CA helps only where it is the CA that is missing. */
function certificateHint(host: string, code: string): string {
  if (code === 'CERT_NOT_YET_VALID' || code === 'CERT_HAS_EXPIRED') {
    const when = code === 'CERT_HAS_EXPIRED' ? 'It has expired' : 'It is not valid yet';
    return `${when}, if the clock of this machine is right: it says ${new Date().toISOString().slice(0, 16)}Z.`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID' || code === 'HOSTNAME_MISMATCH') {
    return 'It is for other names: ask by one of these, or have this one added (`lreg_start --tls-names=NAME`, if it is one of ours).';
  }
  return `Put its CA into /etc/containers/certs.d/${host}/ca.crt, or mark the host insecure in /etc/containers/registries.conf.`;
}

/** The `reason` in an OpenSSL error. Its message contains a whole error stack. */
function reasonOf(error: Error): string {
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : (systemCode(error) ?? error.message);
}
