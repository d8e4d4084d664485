// Test pulls on a node: a script of POSIX sh that pulls one image under the name of each host, by the program that the runtime's users use, and removes it again.

import { CERTS_D } from '../containerd-files.ts';
import type { RuntimeCheck } from './contract.ts';
import { SCRIPT_HEAD } from './probe-script.ts';

export interface TestPull {
  readonly runtime: RuntimeCheck['runtime'];
  readonly host: string;
  readonly isPulled: boolean;
  /** What the program said, if it failed. */
  readonly error?: string;
}

type Pulled = Pick<TestPull, 'runtime' | 'host'>;

/** `IMAGE` is replaced by the name. Of containerd, crictl is asked as kubelet asks; `ctr` reads no config.toml. */
const PROGRAMS: Readonly<
  Record<RuntimeCheck['runtime'], readonly (readonly [program: string, pull: string, remove: string])[]>
> = {
  podman: [
    ['podman', 'podman pull -q', 'podman rmi'],
    ['crictl', 'crictl pull', 'crictl rmi'],
  ],
  containerd: [
    ['crictl', 'crictl pull', 'crictl rmi'],
    ['ctr', `ctr images pull --hosts-dir ${CERTS_D}`, 'ctr images rm'],
  ],
  docker: [['docker', 'docker pull -q', 'docker rmi']],
  k3s: [['k3s', 'k3s crictl pull', 'k3s crictl rmi']],
  rke2: [['crictl', 'crictl pull', 'crictl rmi']],
};

/** `image`: repository and tag, without a host. Of podman and docker, hosts that are in no list are left out. */
export function pullScript(checks: readonly RuntimeCheck[], image: string): string {
  const pulls = checks.flatMap(({ runtime, asks }) =>
    hostsToPull({ runtime, asks }).map((host) => {
      const choices = PROGRAMS[runtime].map(
        ([program, pull, remove]) =>
          `if have ${program}; then try ${runtime} ${host} "${remove}" ${pull} ${host}/${image}\nel`,
      );
      return `${choices.join('')}se say none ${runtime} ${host}; fi`;
    }),
  );
  return `${HEAD}${pulls.join('\n')}\nsay end\n`;
}

const HEAD = `${SCRIPT_HEAD}
limited() { if have timeout; then timeout 60 "$@"; else "$@"; fi; }
try() {
	runtime=$1 host=$2 remove=$3; shift 3
	for image; do :; done
	if out=$(limited "$@" </dev/null 2>&1); then say pulled "$runtime" "$host"; $remove "$image" </dev/null >/dev/null 2>&1
	else say failed "$runtime" "$host" "$(printf %s "$out" | tail -c 400)"; fi
}
`;

/** The programs by which images of the runtime are pulled, of which one has to be there. */
export function pullPrograms(runtime: RuntimeCheck['runtime']): readonly string[] {
  return PROGRAMS[runtime].map(([program]) => program);
}

/** In the order of the script. What is not there was not tried: the program is missing. */
export function parsePulls(answer: string): readonly TestPull[] {
  return answer.split('\n').flatMap((line) => {
    const [, kind, runtime, host, error] =
      /^@ (pulled|failed|none) (\S+) (\S+) ?(.*)$/.exec(line.replace(/\r$/, '')) ?? [];
    if (kind === undefined || kind === 'none') return [];
    const pulled = { runtime, host } as Pulled;
    return [kind === 'pulled' ? { ...pulled, isPulled: true } : { ...pulled, isPulled: false, error: error ?? '' }];
  });
}

function hostsToPull({ runtime, asks }: Pick<RuntimeCheck, 'runtime' | 'asks'>): readonly string[] {
  const hosts = Object.keys(asks);
  if (runtime === 'podman') return hosts.filter((host) => host !== 'unlisted.example');
  if (runtime !== 'docker') return hosts;
  return hosts.filter((host) => host === 'docker.io' || asks[host]?.[0]?.startsWith('http://'));
}
