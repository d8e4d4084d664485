// The options of a registry that serves (tasks/private-registry/config-keys.ts has their keys).
import type { OptionSpec } from '../grammar/options.ts';

const LISTEN: OptionSpec = {
  name: 'listen',
  value: 'ADDR:PORT',
  many: true,
  help: 'Address to listen on, with https:// before it for HTTPS; several are taken (default 127.0.0.1:5000; port 0: a free one)',
};
const NAME: OptionSpec = {
  name: 'name',
  value: 'HOST',
  many: true,
  help: 'Name under which web pages may use the registry, beside addresses, localhost and names to listen on; several are taken',
};

const GC: OptionSpec = {
  name: 'gc',
  value: 'daily|off',
  help: 'When garbage is collected (default daily: when nobody asks for anything, in stores that `images` made or that `lreg_gc` has collected once)',
};

const SCRUB: OptionSpec = {
  name: 'scrub',
  value: 'weekly|off',
  help: 'How often all blobs and links are checked as `lreg_check` does it (default weekly: slowly, when nobody asks for anything)',
};

const ACCESS: readonly OptionSpec[] = [
  {
    name: 'auth',
    value: 'htpasswd:FILE',
    help: 'Users and passwords (bcrypt; `images lreg_passwd` writes it): everybody pulls, who has logged in pushes and deletes',
  },
  { name: 'read-only', help: 'Refuse every push and deletion' },
  {
    name: 'read-only-from',
    value: 'RANGE,…',
    many: true,
    help: 'Refuse pushes and deletions from there: local, vms, or addresses such as 192.168.0.0/24',
  },
  {
    name: 'write-from',
    value: 'RANGE,…',
    many: true,
    help: 'From where one may push and delete without logging in (default local,vms: this machine, and networks of its bridges that lead to no network card)',
  },
  {
    name: 'trusted-proxies',
    value: 'RANGE,…',
    many: true,
    help: 'Believe X-Forwarded-For of proxies there: local, or addresses; without it, nobody behind a proxy on this machine has the rights of this machine',
  },
];

const AUDIT: OptionSpec = {
  name: 'audit',
  help: 'Log each write and each refusal: who, from where, what, with which result (always with users)',
};

const DRAIN: OptionSpec = {
  name: 'drain',
  value: 'AGE',
  help: 'When it is told to stop, let requests that are under way end, for so long: 10m (default half a second); a second signal ends them',
};

const LOG: readonly OptionSpec[] = [
  {
    name: 'log',
    value: 'text|json[,access]',
    many: true,
    help: 'The log: text for people (default), or one JSON object a line; access: with a line for each request',
  },
  {
    name: 'log-level',
    value: 'error|warn|info|debug',
    help: 'What is worth a line (default info; debug: each request, too)',
  },
];

const TLS: readonly OptionSpec[] = [
  {
    name: 'tls',
    value: 'auto',
    help: 'HTTPS with certificates of an own CA (`images lreg_ca`), made for the names that clients ask for',
  },
  { name: 'tls-cert', value: 'FILE', help: 'HTTPS with this certificate (PEM), read again when it changes' },
  { name: 'tls-key', value: 'FILE', help: 'The key of the certificate (PEM)' },
  {
    name: 'tls-names',
    value: 'NAME,…',
    many: true,
    help: 'With --tls=auto: domains and ranges of addresses for which alone the own CA makes certificates; fixed when it is made',
  },
];

const PROXY: readonly OptionSpec[] = [
  {
    name: 'proxy',
    value: 'HOST,…',
    valueOptional: true,
    many: true,
    help: "Fetch what is missing while it is served, from the well-known registries, and from HOST; '*': from any with a public address",
  },
  { name: 'ttl', value: 'AGE', help: 'With --proxy: how long a fetched tag is not looked for again (default 5m)' },
  { name: 'offline', help: 'With --proxy: ask no other registry, serve what was fetched' },
];

/** All options that have a key in registry.toml: of each command that says how a registry is served. */
export const SERVE_OPTIONS: readonly OptionSpec[] = [
  LISTEN,
  NAME,
  ...PROXY,
  ...ACCESS,
  AUDIT,
  ...LOG,
  ...TLS,
  GC,
  SCRUB,
  DRAIN,
];
