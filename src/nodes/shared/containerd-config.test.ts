import { describe, expect, it } from 'vitest';
import { CONFIG_CORPUS } from '../testing/config-corpus.ts';
import { withConfigPath } from './containerd-config.ts';

describe('containerd’s config.toml', () => {
  it.each(CONFIG_CORPUS)('$what', ({ before, after, refused }) => {
    const result = withConfigPath(before);
    expect(result).toEqual(refused === undefined ? { text: after } : { refused });
    // Once is enough.
    if (after !== undefined) expect(withConfigPath(after)).toEqual({ text: after });
  });
});
