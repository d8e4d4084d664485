// Parses the arguments of EXPOSE: `80`, `80/udp`, `8000-8010/tcp`, optionally preceded by a host port, which is ignored.

/** One `PORT/PROTOCOL` for each port. Returns `undefined` for an invalid text. */
export function portsOf(text: string): readonly string[] | undefined {
  const [, host = '', range = '', protocol = 'tcp'] = /^(?:(.*):)?([^:/]+)(?:\/(.*))?$/s.exec(text) ?? [];
  const name = (protocol || 'tcp').toLowerCase();
  const ports = rangeOf(range);
  if (!ports || !/^(?:tcp|udp|sctp)$/.test(name) || !isHostPart(host, ports.length)) return undefined;
  return ports.map((port) => `${port}/${name}`);
}

/** `8080`, `127.0.0.1:8080`, `[::1]:8080`, `127.0.0.1:` */
function isHostPart(text: string, count: number): boolean {
  if (text === '') return true;
  const [, , port = ''] = /^(?:(.*):)?([^:]*)$/.exec(text) ?? [];
  if (port === '') return true;
  const ports = rangeOf(port);
  return ports !== undefined && (ports.length === count || count === 1);
}

function rangeOf(text: string): readonly number[] | undefined {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === '' || to < from || to > 65535) return undefined;
  return Array.from({ length: to - from + 1 }, (_, at) => from + at);
}
