// The command reference docs/commands.md as Markdown, generated from the table of commands. Pure.
import { COMMON_OPTIONS, type CommandSpec } from './command.ts';
import { detailsOf, optionForm, shownOptions, synopsis } from './help.ts';

const PREFACE = `# Commands

<!-- Made by \`npm run docs\` from src/cli/table/: change it there. -->

\`images CMD [--option[=value] …] [args …]\`: options stand anywhere, values after \`=\` or a space. In the names of commands and options \`-\` and
\`_\` are the same. Data goes to stdout, everything for people to stderr. Exit status: 0 done or yes, 1 failed or no, 2 used wrongly, 130
interrupted. An error is one line, \`ERROR: what happened [value]\`, and a second one with what to do about it; \`--verbose\` adds where it comes from,
and \`--debug\` prints what is asked of whom, and why ([Debugging](debugging.md)).

## Environment

| variable | what it is for |
|---|---|
| \`LOCAL_REGISTRY\` | the private registry: \`host\`, \`host:port\`, \`IPv4\`, \`IPv6\`, \`[IPv6]:port\`, with \`http://\` or \`https://\` if you like |
| \`IMAGES_DATA\` | the embedded registry's data directory |
| \`IMAGES_PAUSE\` | the pause image |
| \`IMAGES_DEBUG\` | topics of \`--debug\`, for scripts: \`http,copy\`, or \`all\` |
| \`IMAGES_RUNTIME\` | where running registries are announced to other users, instead of \`/run/images\` (root's, and services') and \`/tmp\` |
| \`XCLUSTER\`, \`XCLUSTER_OVLPATH\` | where overlays are found by name |
| \`__net_setup\` | xcluster's network script: \`…/net-setup-userspace.sh\` means that VMs reach loopback at 192.168.0.250 |
| \`XDG_DATA_HOME\`, \`XDG_CACHE_HOME\` | where the store (\`images/\`) is; what is remembered between runs: compiled code, scans, how layers are compressed, in which repositories they are |
| \`DOCKER_HOST\`, \`DOCKER_CONTEXT\` | the Docker daemon: a transport of images, and asked for a container named \`registry\` |
| \`DOCKER_CONFIG\`, \`REGISTRY_AUTH_FILE\` | credentials for the registries that images come from |
| \`http_proxy\`, \`https_proxy\`, \`no_proxy\` | proxies; loopback and the private registry are asked directly |
`;

export function commandReference(commands: readonly CommandSpec[]): string {
  const shown = commands.filter((command) => !command.hidden);
  const groups = [...new Set(shown.map((command) => command.group))];
  const sections = groups.map((group) => {
    const own = shown.filter((command) => command.group === group);
    return `\n## ${group}\n${own.map(commandSection).join('')}`;
  });
  return PREFACE + sections.join('');
}

function commandSection(command: CommandSpec): string {
  const own = shownOptions(command).filter((option) => !COMMON_OPTIONS.includes(option));
  const rows = [
    ...command.arguments.map((argument) => row(argument.name, argument.help)),
    ...own.map((option) => row(optionForm(option), option.help)),
  ];
  const parts = [
    `\n### ${command.name}\n`,
    `\`images ${synopsis(command)}\`\n`,
    `${[`${command.summary}.`, ...detailsOf(command)].join('\n\n')}\n`,
    ...(rows.length > 0 ? [`| | |\n|---|---|\n${rows.join('')}`] : []),
    ...(command.status ? [`Exit status: ${command.status}\n`] : []),
    ...(command.examples
      ? [`\`\`\`\n${command.examples.map(({ help, command: line }) => `# ${help}\n${line}\n`).join('')}\`\`\`\n`]
      : []),
    ...(command.aliases ? [`Also called ${command.aliases.map((alias) => `\`${alias}\``).join(', ')}.\n`] : []),
  ];
  return parts.join('\n');
}

/** A `|` must be escaped: it ends a table cell, even inside backticks. */
function row(name: string, help: string): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  return `| \`${cell(name)}\` | ${cell(help)} |\n`;
}
