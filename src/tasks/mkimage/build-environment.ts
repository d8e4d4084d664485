// What the environment of `mkimage` says to a build: times, proxies, the SSH agent.
import { EPOCH, type TimeChoice } from '../../build/layer/times.ts';
import { PROXY_NAMES } from '../../build/stage/variables.ts';
import { ImagesError } from '../../oci/errors.ts';
import type { World } from '../settings.ts';

/** SOURCE_DATE_EPOCH limits the times of files. Errors: CONFIG_INVALID. */
export function timesOf({ env }: World): TimeChoice {
  const text = env.SOURCE_DATE_EPOCH;
  if (text === undefined || text === '') return { kind: 'fixed', seconds: EPOCH };
  if (/^\d{1,12}$/.test(text)) return { kind: 'latest', seconds: Number(text) };
  throw new ImagesError('CONFIG_INVALID', `SOURCE_DATE_EPOCH is not a number of seconds [${text}]`, {
    hint: 'For example SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)',
  });
}

/** Arguments of the build have precedence. */
export function proxiesOf(
  { env }: World,
  buildArgs: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  return new Map(
    PROXY_NAMES.flatMap((name) => {
      const value = buildArgs.get(name) ?? env[name];
      return value ? [[name, value] as const] : [];
    }),
  );
}

/** The user's SSH agent, for RUN. */
export function agentsOf({ env }: World): ReadonlyMap<string, string> {
  return new Map(env.SSH_AUTH_SOCK ? [['default', env.SSH_AUTH_SOCK]] : []);
}
