// The units by which systemd runs the embedded registry: a service, and a socket unit for HTTP and one for HTTPS, so that the service needs no right to low ports and
// whoever connects while it is restarted waits. Pure. Directives are those of systemd.exec(5), systemd.socket(5) and sysusers.d(5), up to version 247.
import { isIP } from 'node:net';
import { dirname, isAbsolute, join } from 'node:path';
import { ImagesError } from '../../oci/errors.ts';
import { formatListenAddress, type ListenAddress } from '../../server/address.ts';

export interface ServiceFile {
  /** Where it belongs: below the root of the file system. */
  readonly path: string;
  readonly text: string;
}

export interface ServiceUnits {
  /** The command with its arguments: the first is an absolute path. */
  readonly command: readonly [string, ...string[]];
  readonly listen: readonly ListenAddress[];
  /** Absolute paths: what it writes, and what else it reads. */
  readonly data: string;
  readonly reads: readonly string[];
  /** The directory for units: that of the system, or of a user. */
  readonly directory: string;
  /** Of the system: a user of its own, and as little as it needs of everything else. */
  readonly isSystem: boolean;
  /** Milliseconds that requests have when it is stopped. */
  readonly drain?: number;
}

export const SERVICE_UNIT = 'images.service';
export const SOCKET_UNITS = { http: 'images.socket', https: 'images-https.socket' } as const;
/** The user of a service of the system. */
export const SYSUSERS_FILE = '/etc/sysusers.d/images.conf';
export const SYSTEM_DATA = '/var/lib/images';
/** In the first line of each file: others are not touched. */
export const SERVICE_MARK = '# Made by `images lreg_service`';

const MARK = `${SERVICE_MARK}, which replaces it; --remove removes it. Changes belong into a drop-in (systemctl edit).\n`;

/** Errors: USAGE (a name or port 0 to listen on). */
export function serviceFiles(units: ServiceUnits): readonly ServiceFile[] {
  const { directory, isSystem, listen } = units;
  const sockets = (['http', 'https'] as const).filter((scheme) => of(scheme, listen).length > 0);
  return [
    { path: join(directory, SERVICE_UNIT), text: serviceText(units, sockets) },
    ...sockets.map((scheme) => ({
      path: join(directory, SOCKET_UNITS[scheme]),
      text: socketText(scheme, of(scheme, listen)),
    })),
    ...(isSystem ? [{ path: SYSUSERS_FILE, text: `${MARK}u images - "Container registry" ${SYSTEM_DATA}\n` }] : []),
  ];
}

type Scheme = keyof typeof SOCKET_UNITS;

function of(scheme: Scheme, listen: readonly ListenAddress[]): readonly ListenAddress[] {
  return listen.filter(({ tls = false }) => tls === (scheme === 'https'));
}

function socketText(scheme: Scheme, listen: readonly ListenAddress[]): string {
  const streams = listen.map((address) => `ListenStream=${streamOf(address)}\n`).join('');
  return `${MARK}[Unit]
Description=Container registry (images), ${scheme.toUpperCase()}

[Socket]
${streams}FileDescriptorName=${scheme}
Service=${SERVICE_UNIT}
# An address that comes later, such as that of a bridge for VMs.
FreeBind=yes

[Install]
WantedBy=sockets.target
`;
}

function streamOf(address: ListenAddress): string {
  const { host, port } = address;
  if (port > 0 && host === undefined) return String(port);
  if (port > 0 && host !== undefined && isIP(host)) return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  throw new ImagesError('USAGE', `systemd cannot listen there [${formatListenAddress(address)}]`, {
    hint: 'Write an address and a port, or a port alone: --listen=127.0.0.1:5000, --listen=:80.',
  });
}

function serviceText(units: ServiceUnits, sockets: readonly Scheme[]): string {
  const { command, data, isSystem, drain } = units;
  // systemd ends it itself after 90 seconds.
  const stop = drain === undefined ? '' : `TimeoutStopSec=${Math.ceil(drain / 1000) + 30}\n`;
  const names = sockets.map((scheme) => SOCKET_UNITS[scheme]).join(' ');
  // systemd-notify, and the Node of `command` for what the program starts.
  const path = [dirname(command[0]), '/usr/local/bin', '/usr/bin', '/bin'].join(':');
  return `${MARK}[Unit]
Description=Container registry (images)
Requires=${names}
After=network.target ${names}
${isSystem ? `RequiresMountsFor=${quoted(data)}\n` : ''}
[Service]
Type=notify
# systemd-notify tells how it is.
NotifyAccess=all
ExecStart=${command.map(quoted).join(' ')}
ExecReload=/bin/sh -c "kill -HUP \${MAINPID}"
Sockets=${names}
Environment=${quoted(`PATH=${path}`)}
${stop}Restart=on-failure
RestartSec=2
WatchdogSec=10min
LimitNOFILE=16384
${isSystem ? systemSandbox(units) : USER_SANDBOX}
[Install]
WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}
`;
}

/** What the manager of a user may set. */
const USER_SANDBOX = `NoNewPrivileges=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
`;

/**
 * Not among it: MemoryDenyWriteExecute=, because Node compiles; ProtectProc=, because commands of others use the store beside the service, and whether they live is
 * read from /proc.
 */
function systemSandbox({ data, reads, command }: ServiceUnits): string {
  const isUsual = data === SYSTEM_DATA;
  const homes = [data, ...reads, ...command.filter(isAbsolute)].filter((path) =>
    /^\/(?:home|root|run\/user)\//.test(path),
  );
  return `User=images
Group=images
${isUsual ? 'StateDirectory=images\n' : `ReadWritePaths=${quoted(data)}\n`}RuntimeDirectory=images
RuntimeDirectoryMode=0755
# Registries of root are announced there as well.
RuntimeDirectoryPreserve=yes
CapabilityBoundingSet=
AmbientCapabilities=
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=${homes.length > 0 ? 'read-only' : 'yes'}
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectClock=yes
ProtectHostname=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
`;
}

/** As one word: systemd.service(5), "Command lines". */
function quoted(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /^[\w@%+=:,./~$*-]+$/.test(escaped) ? escaped : `"${escaped.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}
