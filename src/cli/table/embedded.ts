// The commands of the embedded registry.
import type { CommandSpec } from '../grammar/command.ts';
import { CONFIG, DATA, JSON_OUTPUT } from '../grammar/common-options.ts';
import { SERVE_OPTIONS } from './serve-options.ts';

const EMBEDDED = 'The embedded registry';

export const EMBEDDED_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'lreg_start',
    group: EMBEDDED,
    summary: 'Start the embedded registry in the background',
    details: [
      'Returns when it answers. Prints the address it listens on and the one that VMs can use. VMs that are told that it is docker.io ask port 80.',
    ],
    arguments: [],
    options: [...SERVE_OPTIONS, DATA, CONFIG, JSON_OUTPUT],
    examples: [
      { command: 'images lreg_start', help: 'On 127.0.0.1:5000' },
      { command: 'images lreg_start --listen=0.0.0.0:80', help: 'For VMs' },
    ],
    load: () => import('../commands/lreg-start.ts'),
  },
  {
    name: 'lreg_service',
    group: EMBEDDED,
    summary: 'Let systemd run the embedded registry',
    details: [
      'Writes units and enables them: for the user, or with --system for the machine, with a user `images` of its own, /var/lib/images, and ports 80 and 443. systemd binds the ports, so nobody is refused while the registry is restarted. Run it again after an upgrade, or with other options. The data stays when it is removed.',
    ],
    arguments: [],
    options: [
      { name: 'system', help: 'A service of the machine; that takes root' },
      { name: 'print', help: 'Print the units, and do nothing' },
      { name: 'remove', help: 'Stop it, and remove the units' },
      { name: 'root', value: 'DIR', help: 'With --system: the root of the file system (default /)' },
      ...SERVE_OPTIONS,
      DATA,
      CONFIG,
    ],
    examples: [
      { command: 'images lreg_service', help: 'On 127.0.0.1:5000, for this user' },
      {
        command: 'sudo images lreg_service --system --proxy',
        help: 'On ports 80 and 443, which fetches what is missing',
      },
    ],
    status: '0: done; 1: a command of systemd failed, and somebody has to run it.',
    load: () => import('../commands/lreg-service.ts'),
  },
  {
    name: 'lreg_stop',
    group: EMBEDDED,
    summary: 'Stop the embedded registry',
    details: [
      'Requests that are under way have half a second, or what --drain said when it was started. With --drain, here, they have so long, or all the time that they need; new connections are refused meanwhile. Ctrl-C only ends the wait.',
    ],
    arguments: [],
    options: [
      {
        name: 'drain',
        value: 'AGE',
        valueOptional: true,
        help: 'Let requests that are under way end, for so long (10m; default: as long as they take)',
      },
      DATA,
    ],
    load: () => import('../commands/lreg-stop.ts'),
  },
  {
    name: 'config',
    group: EMBEDDED,
    summary: 'Show or check the configuration of the embedded registry',
    details: [
      'Shows each key with its value and where that comes from: of the registry that runs, what it goes by; else, or of the FILE that --config names, what one would go by that is started now. What is printed is a file that says the same. With --check: a line for each mistake in FILE, and in the files of users and certificates that it names.',
    ],
    arguments: [{ name: 'FILE', help: 'The file to check (default: the one that commands obey)', complete: 'files' }],
    options: [
      { name: 'show', help: 'Show it (the default)' },
      { name: 'check', help: 'Print its mistakes' },
      DATA,
      CONFIG,
      JSON_OUTPUT,
    ],
    status: 'With --check 1 if there is a mistake.',
    examples: [{ command: 'images config --check registry.toml', help: 'Before it is used' }],
    load: () => import('../commands/config.ts'),
  },
  {
    name: 'lreg_reload',
    group: EMBEDDED,
    summary: 'Let the embedded registry read its configuration again',
    details: [
      'And the files that it names: certificates, users. Requests that are under way go on. Prints what has changed, and what waits for a restart (listen, data, whether there is HTTPS). With a mistake in one of the files all stays as it is. SIGHUP to the process does the same, and tells the log.',
    ],
    arguments: [],
    options: [DATA, JSON_OUTPUT],
    status: '0: read; 1: a mistake, and nothing has changed, or it does not run.',
    load: () => import('../commands/lreg-reload.ts'),
  },
  {
    name: 'lreg_status',
    group: EMBEDDED,
    summary: 'Tell whether and where the embedded registry runs',
    details: [
      'And whether pulls and pushes work, what it holds (images, blobs, bytes), and what the last check of all of it found.',
    ],
    arguments: [],
    options: [DATA, JSON_OUTPUT],
    status: '0: it runs; 1: it does not.',
    load: () => import('../commands/lreg-status.ts'),
  },
  {
    name: 'lreg_log',
    group: EMBEDDED,
    summary: "Show the embedded registry's log",
    details: [
      'Of the registry that runs, wherever its log is: the file of `lreg_start`, another file, or the journal of systemd; else of the last one that `lreg_start` has started.',
    ],
    arguments: [],
    options: [
      { name: 'follow', short: 'f', help: 'Go on with what is written, until Ctrl-C' },
      { name: 'lines', value: 'N', help: 'The last N lines (default 100; with --since all)' },
      { name: 'since', value: 'AGE', help: 'Only what is not older: 90m, 12h, 7d' },
      {
        name: 'level',
        value: 'error|warn|info|debug',
        help: 'Only lines of this level, and of those that matter more',
      },
      DATA,
      { ...JSON_OUTPUT, help: 'Print one JSON object a line' },
    ],
    examples: [{ command: 'images lreg_log -f --level=warn', help: 'What goes wrong, while it goes wrong' }],
    load: () => import('../commands/lreg-log.ts'),
  },
  {
    name: 'lreg_watch',
    group: EMBEDDED,
    summary: 'Show what happens in the registry while it happens',
    details: [
      'Who pulls, pushes and is refused, how fast; what the proxy fetches; garbage collection and checks. For its owner, and for who may pull everything. When the registry has gone, it waits for it, and goes on where it was.',
    ],
    arguments: [],
    options: [
      {
        name: 'type',
        value: 'TYPE,…',
        many: true,
        help: 'Only these: request, pull, push, delete, refused, proxy, gc, scrub, notice',
      },
      {
        name: 'since',
        value: 'CURSOR',
        help: 'First what came after this event (cursor in --json); 0: all that the registry remembers, a thousand events',
      },
      DATA,
      { ...JSON_OUTPUT, help: 'Print one JSON object a line' },
    ],
    examples: [{ command: 'images lreg_watch --type=push,refused', help: 'Who pushes, and who may not' }],
    load: () => import('../commands/lreg-watch.ts'),
  },
  {
    name: 'lreg_ca',
    group: EMBEDDED,
    summary: 'Print the own CA of the embedded registry, or let clients trust it',
    details: [
      'The CA is made when a registry is started with --tls=auto. --install writes it where docker, podman, skopeo, buildah and containerd look for the CA of REGISTRY, and where the system does; --remove undoes that. For the machine itself that takes root; ROOT is the root of another file system.',
    ],
    arguments: [
      { name: 'REGISTRY', many: true, help: 'HOST:PORT under which clients use it (default: where it listens)' },
    ],
    options: [
      { name: 'install', help: 'Let clients trust it' },
      { name: 'remove', help: 'Let them trust it no longer' },
      {
        name: 'client',
        value: 'docker|containers|containerd|system',
        many: true,
        help: 'These clients, whether they are there or not (default all that are there; containers: podman, skopeo, buildah)',
      },
      { name: 'root', value: 'DIR', help: 'The root of the file system (default /)' },
      { name: 'dry-run', help: 'Print which files would be written or removed, and do nothing' },
      DATA,
    ],
    examples: [{ command: 'images lreg_ca > ca.crt', help: 'The certificate' }],
    load: () => import('../commands/lreg-ca.ts'),
  },
  {
    name: 'lreg_passwd',
    group: EMBEDDED,
    summary: 'Set the password of a user of the embedded registry',
    details: [
      'FILE is what `--auth=htpasswd:FILE` of `serve` and `lreg_start` names; it is made if it is missing, for its owner to read. A registry that runs sees the change within a second.',
    ],
    arguments: [{ name: 'USER', required: true, help: 'The user, without a colon' }],
    options: [
      {
        name: 'file',
        value: 'FILE',
        help: 'The file of users (default: that of the registry that runs, or what auth in registry.toml names)',
      },
      { name: 'password-stdin', help: 'Read the password from standard input; asked for on a terminal without it' },
      { name: 'delete', help: 'Remove the user' },
      DATA,
      CONFIG,
    ],
    examples: [{ command: 'images lreg_passwd --file=users anna', help: 'Asks for the password' }],
    load: () => import('../commands/lreg-passwd.ts'),
  },
  {
    name: 'lreg_token',
    group: EMBEDDED,
    summary: 'Give a machine a token for the embedded registry, list or revoke them',
    details: [
      'Prints the token. Machines log in as user `token` with it as the password, or send it as a Bearer token. It may do what the options say, whatever registry.toml says of users; a read-only registry stays read-only. Patterns are those of registry.toml.',
    ],
    arguments: [],
    options: [
      { name: 'pull', value: 'PATTERN', many: true, help: 'Repositories that it may pull' },
      { name: 'push', value: 'PATTERN', many: true, help: 'Repositories that it may pull and push' },
      { name: 'delete', value: 'PATTERN', many: true, help: 'Repositories that it may pull and delete from' },
      { name: 'days', value: 'N', help: 'How long it is valid (default 30)' },
      { name: 'name', value: 'NAME', help: 'What it is called in lists and in the log' },
      { name: 'list', help: 'List the tokens that were given and not revoked' },
      { name: 'revoke', value: 'ID|NAME', help: 'Revoke a token, or all of a name' },
      DATA,
      JSON_OUTPUT,
    ],
    examples: [{ command: "images lreg_token --name=nodes --pull='team/**' --days=90", help: 'For nodes that pull' }],
    load: () => import('../commands/lreg-token.ts'),
  },
  {
    name: 'serve',
    group: EMBEDDED,
    summary: 'Run the embedded registry in the foreground',
    details: [
      'Ends within a second of SIGINT or SIGTERM: requests that are under way have half of it, or the time of --drain. SIGQUIT ends it when they have ended. SIGHUP makes it read its configuration again. `/healthz` says whether pulls work, `/readyz` whether clients should come.',
    ],
    arguments: [],
    options: [
      ...SERVE_OPTIONS,
      DATA,
      CONFIG,
      { name: 'ready-fd', value: 'N', help: 'Where to say that it answers', hidden: true },
    ],
    load: () => import('../commands/serve.ts'),
  },
];
