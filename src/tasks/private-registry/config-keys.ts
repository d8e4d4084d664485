// Every key of registry.toml, and the option of `serve` that says the same. The parser, what a new process is called with, `images config` and
// docs/configuration.md all go by this table.

/** How the option's value is written: `hosts` may be without one; `login` is `htpasswd:FILE`; `texts` are given one by one, `list` also with commas. */
export type OptionKind = 'switch' | 'text' | 'choice' | 'texts' | 'list' | 'file' | 'login' | 'hosts';

/** Of `ServingOptions`. */
export type ServingField =
  | 'listen'
  | 'names'
  | 'tls'
  | 'tlsCertificate'
  | 'tlsKey'
  | 'tlsNames'
  | 'auth'
  | 'readOnly'
  | 'readOnlyFrom'
  | 'writeFrom'
  | 'trustedProxies'
  | 'isAudited'
  | 'log'
  | 'logLevel'
  | 'proxy'
  | 'ttl'
  | 'offline'
  | 'drain'
  | 'gc'
  | 'scrub';

export interface ServingOption {
  /** Without `--`. */
  readonly name: string;
  readonly field: ServingField;
  readonly kind: OptionKind;
  /** Of a `choice`. */
  readonly values?: readonly string[];
}

export interface ConfigField {
  readonly name: string;
  /** Its value in TOML. */
  readonly example: string;
  readonly help: string;
}

export interface ConfigKey {
  /** With its table: `tls.cert`. */
  readonly key: string;
  /** Its value in TOML. */
  readonly example: string;
  /** What holds where nobody says it: a value, or what that means in words. */
  readonly usual: { readonly value: string | boolean | readonly string[] } | { readonly means: string };
  readonly help: string;
  readonly option?: ServingOption;
  /** A changed value holds within seconds; once somebody asks for a reload; or when the registry is started. */
  readonly holds: 'soon' | 'reloaded' | 'restarted';
  /** It is a list of tables `[[key]]`, and these are their keys. */
  readonly fields?: readonly ConfigField[];
}

export const DEFAULT_LISTEN = '127.0.0.1:5000';

export const CONFIG_KEYS: readonly ConfigKey[] = [
  {
    key: 'listen',
    example: '["0.0.0.0:80", "https://0.0.0.0:443"]',
    usual: { value: [DEFAULT_LISTEN] },
    help: 'Addresses to listen on',
    option: { name: 'listen', field: 'listen', kind: 'texts' },
    holds: 'restarted',
  },
  {
    key: 'names',
    example: '["registry.lan"]',
    usual: { value: [] },
    help: 'Names under which web pages may use the registry; with an own CA, names of its certificate',
    option: { name: 'name', field: 'names', kind: 'texts' },
    holds: 'soon',
  },
  {
    key: 'data',
    example: '"/srv/images"',
    usual: { means: 'the directory that commands use' },
    help: 'The data directory, as --data names it; only in a file that --config names',
    holds: 'restarted',
  },
  {
    key: 'tls.auto',
    example: 'true',
    usual: { value: false },
    help: 'HTTPS with certificates of an own CA; tls = "auto" says the same',
    option: { name: 'tls', field: 'tls', kind: 'text' },
    holds: 'reloaded',
  },
  {
    key: 'tls.cert',
    example: '"/etc/ssl/registry.crt"',
    usual: { means: 'no certificate' },
    help: 'HTTPS with this certificate (PEM), which is read again when it changes',
    option: { name: 'tls-cert', field: 'tlsCertificate', kind: 'file' },
    holds: 'reloaded',
  },
  {
    key: 'tls.key',
    example: '"/etc/ssl/registry.key"',
    usual: { means: 'no key' },
    help: 'The key of the certificate (PEM)',
    option: { name: 'tls-key', field: 'tlsKey', kind: 'file' },
    holds: 'reloaded',
  },
  {
    key: 'tls.names',
    example: '["lan", "10.0.0.0/8"]',
    usual: { means: 'any' },
    help: 'With an own CA: domains and ranges of addresses for which alone it makes certificates',
    option: { name: 'tls-names', field: 'tlsNames', kind: 'list' },
    holds: 'reloaded',
  },
  {
    key: 'auth',
    example: '"htpasswd:users"',
    usual: { means: 'nobody logs in' },
    help: 'The file of users and passwords',
    option: { name: 'auth', field: 'auth', kind: 'login' },
    holds: 'reloaded',
  },
  {
    key: 'read_only',
    example: 'true',
    usual: { value: false },
    help: 'Nobody pushes or deletes',
    option: { name: 'read-only', field: 'readOnly', kind: 'switch' },
    holds: 'soon',
  },
  {
    key: 'read_only_from',
    example: '["10.9.0.0/16"]',
    usual: { value: [] },
    help: 'From where nobody pushes or deletes',
    option: { name: 'read-only-from', field: 'readOnlyFrom', kind: 'list' },
    holds: 'soon',
  },
  {
    key: 'write_from',
    example: '["local", "192.168.0.0/24"]',
    usual: { means: 'local and vms; nowhere with users or rules' },
    help: 'From where one pushes and deletes without a login',
    option: { name: 'write-from', field: 'writeFrom', kind: 'list' },
    holds: 'soon',
  },
  {
    key: 'trusted_proxies',
    example: '["local"]',
    usual: { value: [] },
    help: 'Proxies whose X-Forwarded-For says who asks',
    option: { name: 'trusted-proxies', field: 'trustedProxies', kind: 'list' },
    holds: 'soon',
  },
  {
    key: 'audit',
    example: 'true',
    usual: { means: 'false; true with users' },
    help: 'Log each write and each refusal',
    option: { name: 'audit', field: 'isAudited', kind: 'switch' },
    holds: 'soon',
  },
  {
    key: 'log',
    example: '["json", "access"]',
    usual: { value: 'text' },
    help: 'The log: "text" or "json" (an object a line); "access": with a line for each request',
    option: { name: 'log', field: 'log', kind: 'list' },
    holds: 'soon',
  },
  {
    key: 'log_level',
    example: '"warn"',
    usual: { value: 'info' },
    help: 'What is worth a line: "error", "warn", "info" or "debug"',
    option: { name: 'log-level', field: 'logLevel', kind: 'text' },
    holds: 'soon',
  },
  {
    key: 'proxy.hosts',
    example: '["registry.example:5000"]',
    usual: { means: 'nothing is fetched' },
    help: 'Fetch what is missing from the well-known registries, and from these; "*": from any with a public address. proxy = true: from the well-known ones. What the option and the file name adds up',
    option: { name: 'proxy', field: 'proxy', kind: 'hosts' },
    holds: 'soon',
  },
  {
    key: 'proxy.ttl',
    example: '"5m"',
    usual: { value: '5m' },
    help: 'How long a fetched tag is not looked for again',
    option: { name: 'ttl', field: 'ttl', kind: 'text' },
    holds: 'soon',
  },
  {
    key: 'proxy.offline',
    example: 'true',
    usual: { value: false },
    help: 'Ask no other registry, serve what was fetched',
    option: { name: 'offline', field: 'offline', kind: 'switch' },
    holds: 'soon',
  },
  {
    key: 'proxy.keep',
    example: '"30d"',
    usual: { means: 'for ever' },
    help: 'How long what was fetched stays without a pull',
    holds: 'soon',
  },
  {
    key: 'drain',
    example: '"10m"',
    usual: { means: 'half a second' },
    help: 'When it is told to stop: how long requests that are under way may take to end. New connections are refused meanwhile; a second signal ends them at once',
    option: { name: 'drain', field: 'drain', kind: 'text' },
    holds: 'soon',
  },
  {
    key: 'gc',
    example: '"daily"',
    usual: { value: 'daily' },
    help: 'When garbage is collected: "daily" or "off"',
    option: { name: 'gc', field: 'gc', kind: 'choice', values: ['daily', 'off'] },
    holds: 'soon',
  },
  {
    key: 'scrub',
    example: '"weekly"',
    usual: { value: 'weekly' },
    help: 'How often the store is checked: "weekly" or "off"',
    option: { name: 'scrub', field: 'scrub', kind: 'choice', values: ['weekly', 'off'] },
    holds: 'soon',
  },
  {
    key: 'metrics.open',
    example: 'true',
    usual: { value: false },
    help: 'Everybody may read /metrics, not only the owner and who may pull everything',
    holds: 'soon',
  },
  {
    key: 'quota',
    example: '"200 GiB"',
    usual: { means: 'no limit' },
    help: 'The most that all blobs and unfinished uploads may take',
    holds: 'soon',
  },
  {
    key: 'immutable',
    example: '["release/**:v*"]',
    usual: { value: [] },
    help: 'Tags that do not move once they are there',
    holds: 'soon',
  },
  {
    key: 'keep',
    example: '[{ images = "ci/**:pr-*", newest = 10 }]',
    usual: { means: 'all tags are kept' },
    help: 'Which tags garbage collection keeps',
    holds: 'soon',
    fields: [
      { name: 'images', example: '"ci/**:pr-*"', help: 'For which images the rule is' },
      { name: 'newest', example: '10', help: 'Keep so many tags of each repository, those that were pushed last' },
      { name: 'pushed', example: '"7d"', help: 'Keep tags that were pushed within this time' },
      { name: 'pulled', example: '"30d"', help: 'Keep tags that were pushed or pulled within this time' },
    ],
  },
  {
    key: 'rule',
    example: '[{ repositories = "team/**", users = ["anna"], allow = ["pull", "push"] }]',
    usual: { means: 'everybody pulls; those push and delete who have logged in, else as write_from says' },
    help: 'Who may do what',
    holds: 'soon',
    fields: [
      { name: 'repositories', example: '"team/**"', help: 'For which repositories the rule is (default all)' },
      { name: 'users', example: '["anna", "bob"]', help: 'For whom; "*": who has logged in (default everybody)' },
      { name: 'from', example: '["192.168.0.0/24"]', help: 'From where (default anywhere)' },
      { name: 'allow', example: '["pull", "push", "delete"]', help: 'What they may do' },
    ],
  },
];

export const SERVING_OPTIONS: readonly ServingOption[] = CONFIG_KEYS.flatMap(({ option }) => option ?? []);

/** The keys that stand directly in the file, or in the table. */
export function keysIn(table?: string): readonly string[] {
  const inside = table === undefined ? '' : `${table}.`;
  const listed = CONFIG_KEYS.find(({ key, fields }) => key === table && fields)?.fields;
  if (listed) return listed.map(({ name }) => name);
  const names = CONFIG_KEYS.flatMap(({ key }) => (key.startsWith(inside) ? [key.slice(inside.length)] : []));
  return [...new Set(names.map((name) => name.split('.')[0] ?? ''))];
}
