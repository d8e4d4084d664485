// What a registry lets people do who have not logged in: said in one line at its start, and whenever its configuration changes.
import { ACTIONS, type Action } from '../../access/contract.ts';
import type { AccessRule } from '../../access/rules.ts';
import { isLoopback } from '../../nodes/addresses.ts';
import { WELL_KNOWN_HOSTS } from '../../nodes/well-known-hosts.ts';
import { formatListenAddress, type ListenAddress } from '../../server/address.ts';
import type { AccessConfig } from './access-config.ts';
import type { ServedProxy } from './proxy-config.ts';
import { rulesOf } from './serving-access.ts';

/** What may be done by some, and with which repositories. */
interface Opening {
  readonly what: string;
  readonly who: string[];
}

const MOST_PATTERNS = 5;
const ANYONE = 'anyone';
const WORDS: Readonly<Record<string, string>> = {
  local: 'this machine',
  vms: 'its VM networks',
  '0.0.0.0/0': 'anyone by IPv4',
  '::/0': 'anyone by IPv6',
};

/** What others than this machine may do without logging in, and how to change it; `undefined` if they may do nothing, or cannot reach it. */
export function whatIsOpen(
  access: AccessConfig,
  listen: readonly ListenAddress[],
  proxy?: ServedProxy,
): string | undefined {
  const reached = listen.filter(({ host }) => host === undefined || !isLoopback(host));
  if (reached.length === 0) return undefined;
  const open = rulesOf(access).rules.filter(({ users }) => users === undefined);
  const found = open.flatMap(namesOf);
  const names = [...new Set(found.includes(ANYONE) ? [ANYONE, ...found] : found)];
  const openings: Opening[] = [];
  let isWritten = false;
  for (const name of names) {
    for (const { actions, what } of allowedTo(name, open, access)) {
      // Whoever may read the files of the store needs no permission.
      if (name === 'local' && actions.every((action) => action === 'pull')) continue;
      isWritten ||= actions.some((action) => action !== 'pull');
      const same = openings.find((opening) => opening.what === what);
      if (same) same.who.push(name);
      else openings.push({ what, who: [name] });
    }
  }
  if (openings.length === 0) return undefined;
  const where = reached.map(formatListenAddress).join(', ');
  const [first, ...rest] = openings.map(
    ({ who, what }) => `${who.map((name) => WORDS[name] ?? name).join(', ')} ${what}`,
  );
  const said = first?.replace(/^anyone(?= |,)/, `anyone who reaches ${where}`);
  return `without a login, ${[said, ...rest].join('; ')}${exceptions(access, isWritten)}${fetched(proxy)}: ${mend(access, isWritten)}`;
}

/** Whoever may pull can have it fetched. */
function fetched(proxy: ServedProxy | undefined): string {
  if (!proxy || proxy.isOffline) return '';
  const named = proxy.hosts.filter((host) => !WELL_KNOWN_HOSTS.includes(host));
  const more = named.length - MOST_PATTERNS;
  const hosts = ['the well-known registries', ...named.slice(0, MOST_PATTERNS), ...(more > 0 ? [`${more} more`] : [])];
  return `; what is pulled and missing is fetched from ${proxy.isForAll ? 'any registry with a public address' : listText(hosts)}`;
}

function namesOf({ from }: AccessRule): readonly string[] {
  return from === undefined ? [ANYONE] : from.map(({ text }) => text);
}

/** Actions with the same repositories are one phrase. */
function allowedTo(name: string, open: readonly AccessRule[], { readOnly }: AccessConfig) {
  const byPatterns = new Map<string, Action[]>();
  for (const action of ACTIONS) {
    if (action !== 'pull' && readOnly) continue;
    const patterns = open
      .filter((rule) => rule.allow.includes(action) && namesOf(rule).includes(name))
      .map(({ repositories }) => repositories);
    if (patterns.length === 0) continue;
    const where = patternsText(patterns);
    byPatterns.set(where, [...(byPatterns.get(where) ?? []), action]);
  }
  return Array.from(byPatterns, ([where, actions]) => ({ actions, what: `can ${listText(actions)}${where}` }));
}

function patternsText(patterns: readonly string[]): string {
  if (patterns.includes('**')) return '';
  const unique = [...new Set(patterns)];
  const more = unique.length - MOST_PATTERNS;
  return ` in ${unique.slice(0, MOST_PATTERNS).join(', ')}${more > 0 ? ` and ${more} more patterns` : ''}`;
}

function listText(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

function exceptions({ readOnlyFrom = [] }: AccessConfig, isWritten: boolean): string {
  if (!isWritten || readOnlyFrom.length === 0) return '';
  return ` (nobody writes from ${readOnlyFrom.map(({ text }) => WORDS[text] ?? text).join(', ')})`;
}

function mend({ rules }: AccessConfig, isWritten: boolean): string {
  if (rules)
    return `the rules in registry.toml${isWritten ? ', `--write-from` and `--read-only` change it' : ' change it'}`;
  return isWritten
    ? '`--auth=htpasswd:FILE`, `--write-from=local`, `--read-only` or rules in registry.toml change it'
    : '`--auth` with rules in registry.toml changes it';
}

/** What is open at first, and a function that says what is open now. */
export function sayingWhatIsOpen(
  what: () => string | undefined,
  say: ((text: string) => void) | undefined,
): { readonly first: string | undefined; again(): void } {
  const first = what();
  let said = first;
  return {
    first,
    again: () => {
      const now = what();
      if (now !== undefined || said !== undefined) say?.(now ?? 'without a login, others can do nothing any more');
      said = now;
    },
  };
}
