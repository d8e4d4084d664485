import { expect, it } from 'vitest';
import { onePlatform } from './look.ts';

it('one platform is taken where one image is looked at', () => {
  expect(onePlatform(undefined)).toBeUndefined();
  expect(onePlatform('linux/arm64')).toMatchObject({ os: 'linux', architecture: 'arm64' });
  for (const text of ['all', 'linux/amd64,linux/arm64', 'nonsense/'])
    expect(() => onePlatform(text), text).toThrow(expect.objectContaining({ code: 'PLATFORM_INVALID' }));
});
