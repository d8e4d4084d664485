// The error codes as text: for `images help errors`, and as the page docs/errors.md. Pure.
import { type CodeMeaning, meaningOf, OTHER_ERRORS, POLICY_ERROR, REGISTRY_ERRORS } from '../../oci/error-codes.ts';
import { ImagesError } from '../../oci/errors.ts';
import { nearest } from '../../oci/nearest.ts';
import { wrap } from './help.ts';

const PREFACE = `# Errors

<!-- Made by \`npm run docs\` from src/oci/error-codes.ts: change it there. -->

A command that fails prints \`ERROR: what happened [value]\` on stderr, and a second line with what to do next. Exit status: 1, or 2 for a wrong command line, 130 when it was
interrupted. With \`--json\` a command that has printed nothing yet prints an object on stdout:

\`\`\`json
{
  "code": "UNAUTHORIZED",
  "message": "quay.io/a/b:1: quay.io: credentials are needed for manifest quay.io/a/b:1 [access to the requested resource is not authorized]",
  "hint": "Run \`images login quay.io\`, and check the name: a private or unknown repository looks the same.",
  "end": "source",
  "said": "access to the requested resource is not authorized",
  "request": { "method": "GET", "url": "https://quay.io/v2/a/b/manifests/1", "status": 401 }
}
\`\`\`

\`code\` is one of those below, or \`INTERNAL\` for a bug; texts may change, codes do not. \`end\` (of a copy), \`said\` (the other side's own words) and \`request\` are there where they are known; addresses
have neither passwords nor queries. In the library the same are members of \`ImagesError\`. \`images help CODE\` shows a code's lines; [Debugging](debugging.md) says how to see more.
`;

/** The content of docs/errors.md. */
export function errorReference(): string {
  return [
    PREFACE,
    section('Of images and registries', REGISTRY_ERRORS),
    section('Of policies', { [POLICY_CODES]: POLICY_ERROR }),
    section('Of this machine, the network and the command', OTHER_ERRORS),
  ].join('\n');
}

/** Each policy has its own. */
const POLICY_CODES = 'POLICY_…';

const CODES: Readonly<Record<string, CodeMeaning>> = {
  ...REGISTRY_ERRORS,
  [POLICY_CODES]: POLICY_ERROR,
  ...OTHER_ERRORS,
};

/** Cause and remedy of a code, or of all codes for `errors`. Returns `undefined` for an unknown code. */
export function errorHelp(name: string): string | undefined {
  const wanted = name.toUpperCase().replaceAll('-', '_');
  const shown = wanted === 'ERRORS' ? Object.entries(CODES) : [[wanted, meaningOf(wanted)] as const];
  const texts = shown.flatMap(([code, meaning]) => (meaning ? [helpOfCode(code, meaning)] : []));
  return texts.length === 0 ? undefined : texts.join('\n');
}

/** The error for a name that is written like a code. */
export function unknownCode(name: string): ImagesError {
  const meant = nearest(name, Object.keys(CODES));
  return new ImagesError('USAGE', `unknown error code [${name}]`, {
    hint: meant ? `Did you mean \`images help ${meant}\`?` : '`images help errors` lists the codes.',
  });
}

function helpOfCode(code: string, { cause, mend }: CodeMeaning): string {
  return `${code}\n  ${wrap(cause, 2)}\n  ${wrap(mend, 2)}\n`;
}

function section(title: string, codes: Readonly<Record<string, CodeMeaning>>): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = Object.entries(codes).map(
    ([code, { cause, mend }]) => `| \`${code}\` | ${cell(cause)} | ${cell(mend)} |`,
  );
  return [`## ${title}`, '| code | what causes it | what mends it |', '|---|---|---|', ...rows, ''].join('\n');
}
