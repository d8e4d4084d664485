// What a file that is shared with others becomes with ours in it, and without it again. Pure.
import type { SharedKind } from '../node-file.ts';
import { withConfigPath } from './containerd-config.ts';
import { withDockerConfig, withoutDockerConfig } from './docker-config.ts';
import { withHosts } from './hosts-file.ts';
import { type Merged, refused } from './merged.ts';
import { withRegistries } from './registries-config.ts';

const LOCALHOST = '127.0.0.1 localhost\n::1 localhost\n';

/** `before`: the file as it would be without us, `undefined` if there were none. */
export function withShared(
  kind: SharedKind,
  { before, ours }: { readonly before: string | undefined; readonly ours: string },
): Merged {
  switch (kind) {
    case 'hosts':
      return { text: withHosts(before ?? LOCALHOST, ours) };
    case 'containerd-config':
      return before === undefined || before.trim() === '' ? { text: ours } : withConfigPath(before);
    case 'docker-config':
      return before === undefined ? { text: ours } : withDockerConfig(before, ours);
    case 'registries-yaml':
      return before === undefined ? { text: ours } : withRegistries(before, ours);
    case 'search-registries':
      return before === undefined || before === ours ? { text: ours } : refused('it was there before');
  }
}

/** `changed`: the file as it is, after others have changed what we had written. `undefined`: nothing is left. `refused`: it cannot be told what is ours. */
export function withoutShared(
  kind: SharedKind | undefined,
  { changed, ours }: { readonly changed: string; readonly ours: string },
): Merged | undefined {
  if (kind === 'hosts') return { text: withHosts(changed, '') };
  if (kind !== 'docker-config') return refused('it has been changed since');
  const text = withoutDockerConfig(changed, ours);
  return text === undefined ? undefined : { text };
}
