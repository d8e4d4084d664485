// The commands that log in to registries.
import type { CommandSpec } from '../grammar/command.ts';
import { JSON_OUTPUT } from '../grammar/common-options.ts';
import type { OptionSpec } from '../grammar/options.ts';

const LOGIN = 'Logging in';
const HOST = {
  name: 'HOST',
  required: true,
  help: 'The registry, with its port: quay.io, 192.168.0.250:5000',
} as const;
const AUTHFILE: OptionSpec = {
  name: 'authfile',
  value: 'FILE',
  help: 'Where the credentials are kept (default $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json, ~/.docker/config.json)',
};

export const LOGIN_COMMANDS: readonly CommandSpec[] = [
  {
    name: 'login',
    group: LOGIN,
    summary: 'Log in to a registry, for images, docker, podman and skopeo',
    details: [
      'The registry is asked first; what it does not accept is not kept. A credential helper that the file names gets the password, else the file has it, for its owner to read. All else in the file stays.',
    ],
    arguments: [HOST],
    options: [
      { name: 'username', short: 'u', value: 'NAME', help: 'The user; asked for on a terminal without it' },
      {
        name: 'password',
        short: 'p',
        value: 'PASSWORD',
        help: 'The password, as docker and podman take it: who lists processes here, and whoever reads your history, sees it',
      },
      { name: 'password-stdin', help: 'Read the password from standard input; asked for on a terminal without it' },
      AUTHFILE,
      JSON_OUTPUT,
    ],
    examples: [
      { command: 'images login quay.io', help: 'Asks for user name and password' },
      { command: 'images login --username=ci --password-stdin 192.168.0.250:5000 < FILE', help: 'In scripts' },
    ],
    load: () => import('../commands/login.ts'),
  },
  {
    name: 'logout',
    group: LOGIN,
    summary: 'Forget the credentials of a registry',
    arguments: [HOST],
    options: [AUTHFILE, JSON_OUTPUT],
    load: () => import('../commands/logout.ts'),
  },
];
