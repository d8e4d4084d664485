// The files of a node in the forms in which machines get them at their first boot: cloud-init's user data, and Butane (Fedora CoreOS, Flatcar).
import { BOOT_SCRIPT_PATH } from './boot-script.ts';
import type { NodeFile } from './node-file.ts';

/** What runs already has read its configuration: packages come before `runcmd`. */
const RESTART = 'for s in containerd crio docker k3s rke2-server; do systemctl try-restart $s; done 2>/dev/null; :';

/** cloud-init runs the script once, after all files are there. */
export function cloudInit(files: readonly NodeFile[]): string {
  const entries = files.map(
    ({ path, mode, content }) =>
      `  - path: ${JSON.stringify(`/${path}`)}\n    permissions: "${octal(mode)}"\n    content: ${scalar(content, 6)}`,
  );
  return `#cloud-config\nwrite_files:\n${entries.join('')}runcmd:\n  - [sh, /${BOOT_SCRIPT_PATH}]\n  - [sh, -c, ${JSON.stringify(RESTART)}]\n`;
}

/** The variants of Butane; of both becomes Ignition 3.3.0. */
const VARIANTS = { fcos: '1.4.0', flatcar: '1.0.0' } as const;

/** A unit runs the script at each boot, before the runtimes are started. All files are below /etc, which both can write to. */
export function butane(files: readonly NodeFile[], variant: keyof typeof VARIANTS = 'fcos'): string {
  const entries = files.map(
    ({ path, mode, content }) =>
      `    - path: ${JSON.stringify(`/${path}`)}\n      mode: ${mode} # ${octal(mode)}\n      overwrite: true\n      contents:\n        inline: ${scalar(content, 10)}`,
  );
  return `variant: ${variant}
version: ${VARIANTS[variant]}
storage:
  files:
${entries.join('')}systemd:
  units:
    - name: private-reg.service
      enabled: true
      contents: |
        [Unit]
        Description=Finds the private registry
        Before=containerd.service crio.service docker.service k3s.service
        [Service]
        Type=oneshot
        ExecStart=/bin/sh /${BOOT_SCRIPT_PATH}
        [Install]
        WantedBy=multi-user.target
`;
}

function octal(mode: number): string {
  return `0${mode.toString(8)}`;
}

/** Of YAML: a block where that is the same bytes, otherwise in quotes as JSON has them. */
function scalar(content: string, spaces: number): string {
  const isBlock = /^[!-~][ -~\n]*[!-~]\n$/.test(content);
  return isBlock ? `|\n${content.replaceAll(/^(?=.)/gm, ' '.repeat(spaces))}` : `${JSON.stringify(content)}\n`;
}
