// The files of a node in the forms in which machines get them at their first boot: cloud-init's user data, and Butane (Fedora CoreOS, Flatcar).
import { BOOT_SCRIPT_PATH } from './boot-script.ts';
import type { NodeFile } from './node-file.ts';

/** cloud-init runs the script once, after all files are there. */
export function cloudInit(files: readonly NodeFile[]): string {
  const entries = files.map(
    ({ path, mode, content }) =>
      `  - path: ${JSON.stringify(`/${path}`)}\n    permissions: "${octal(mode)}"\n    content: |\n${indented(content, 6)}`,
  );
  return `#cloud-config\nwrite_files:\n${entries.join('')}runcmd:\n  - [sh, /${BOOT_SCRIPT_PATH}]\n`;
}

/** A unit runs the script at each boot, before the runtimes are started. */
export function butane(files: readonly NodeFile[]): string {
  const entries = files.map(
    ({ path, mode, content }) =>
      `    - path: ${JSON.stringify(`/${path}`)}\n      mode: ${mode} # ${octal(mode)}\n      overwrite: true\n      contents:\n        inline: |\n${indented(content, 10)}`,
  );
  return `variant: fcos
version: 1.4.0
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

/** A block of YAML. Its first line must not begin with a space; ours begin with a word, `#`, `{` or `-`. */
function indented(content: string, spaces: number): string {
  return content.replaceAll(/^(?=.)/gm, ' '.repeat(spaces));
}
