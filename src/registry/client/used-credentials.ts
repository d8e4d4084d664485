// The credentials for one host: found by repository, told once, and remembered for the messages about what they were refused for.
import { quote } from '../../io/text/quote.ts';
import { rememberSecrets } from '../../io/text/secrets.ts';
import type { Access } from './answer-errors.ts';
import type { ClientDecision, Credentials, CredentialsProvider } from './settings.ts';

export interface UsedCredentials {
  /** Selects among the credentials in files, which may have entries for parts of a host. */
  find(repository: string | undefined): Promise<Credentials | undefined>;
  /** What is sent although the host has not asked. `refused`: the token of before. */
  unasked(
    repository: string | undefined,
    scheme: 'http' | 'https',
    refused: string | undefined,
  ): Promise<Credentials | undefined>;
  /** Notes that requests for this repository are sent with them. */
  use(repository: string | undefined, credentials: Credentials): void;
  /** For error messages: which credentials were used, or that there were none. */
  access(repository: string | undefined): Access;
}

export interface UsedCredentialsSettings {
  /** The host as people write it. `docker.io` is Docker Hub's name in files of credentials. */
  readonly host: string;
  readonly credentials: CredentialsProvider | undefined;
  /** Told of the credentials that are used, once a repository. */
  readonly onDecision: ((event: ClientDecision) => void) | undefined;
}

export function usedCredentials({ host, credentials: provider, onDecision }: UsedCredentialsSettings): UsedCredentials {
  const used = new Map<string | undefined, Credentials>();
  const told = new Set<string | undefined>();
  const searched = () => [...(provider?.searched ?? []), ...(provider?.searchedFor?.(host) ?? [])];

  function tell(repository: string | undefined, credentials: Credentials | undefined): void {
    if (!onDecision || told.has(repository)) return;
    told.add(repository);
    const known = describeAccess(host, credentials, []).used;
    onDecision({
      type: 'credentials',
      host,
      searched: searched(),
      ...(repository !== undefined && { repository }),
      ...(known !== undefined && { used: known }),
    });
  }

  return {
    find: async (repository) => {
      const credentials = await provider?.find(host, repository);
      if (credentials) rememberSecrets(secretOf(credentials));
      tell(repository, credentials);
      return credentials;
    },
    unasked: async (repository, scheme, refused) => {
      const credentials = await provider?.unasked?.(host, repository, scheme, refused);
      if (!credentials) return undefined;
      rememberSecrets(secretOf(credentials));
      tell(repository, credentials);
      return credentials;
    },
    use: (repository, credentials) => void used.set(repository, credentials),
    access: (repository) => describeAccess(host, used.get(repository), searched()),
  };
}

function secretOf(credentials: Credentials): string {
  return credentials.type === 'password' ? credentials.password : credentials.token;
}

/** In characters. User names are shown in messages; a longer one may be a token. */
const LONGEST_NAME = 32;

function describeAccess(host: string, credentials: Credentials | undefined, searched: readonly string[]): Access {
  const login = `images login ${host}`;
  const known = 'check the name: a private or unknown repository looks the same';
  if (!credentials) {
    const read = searched.length > 0 ? ` (no credentials are in ${searched.join(', ')})` : '';
    return { hint: `Run \`${login}\`, and ${known}${read}.`, used: undefined };
  }
  const { origin = 'the settings' } = credentials;
  const name =
    credentials.type === 'password' && credentials.username.length <= LONGEST_NAME ? credentials.username : '';
  const what = credentials.type === 'password' ? (name ? `those of [${quote(name)}]` : 'a password') : 'a token';
  return { hint: `Run \`${login}\` again, or ${known}.`, used: `${what} from ${origin}` };
}
