import { describe, expect, it } from 'vitest';
import { formatPlatform, isImageFor, parsePlatform, parsePlatformChoice, platformSuits } from './platform.ts';

describe('parsing a platform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/ARM64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
  ])('reads %s as %s', (text, expected) => {
    expect(formatPlatform(parsePlatform(text))).toBe(expected);
  });

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/', 'a/b/c/d', 'linux/am d64'])('refuses %j', (text) => {
    expect(() => parsePlatform(text)).toThrowError(expect.objectContaining({ code: 'PLATFORM_INVALID' }));
  });
});

it('a choice of platforms is a list or `all`', () => {
  expect(parsePlatformChoice('all')).toBe('all');
  expect(parsePlatformChoice('linux/amd64,linux/arm64')).toHaveLength(2);
});

describe('a platform that suits a wanted one', () => {
  const suits = (child: string, wanted: string) => platformSuits(parsePlatform(child), parsePlatform(wanted));

  it('has the same system and architecture', () => {
    expect(suits('linux/amd64', 'linux/arm64')).toBe(0);
    expect(suits('windows/amd64', 'linux/amd64')).toBe(0);
    expect(suits('linux/amd64', 'linux/amd64')).toBeGreaterThan(0);
  });

  it('may have an older variant, never a newer one; the exact one is preferred', () => {
    expect(suits('linux/arm/v6', 'linux/arm/v7')).toBeGreaterThan(suits('linux/arm/v5', 'linux/arm/v7'));
    expect(suits('linux/arm/v7', 'linux/arm/v7')).toBeGreaterThan(suits('linux/arm/v6', 'linux/arm/v7'));
    expect(suits('linux/arm/v7', 'linux/arm/v6')).toBe(0);
    expect(suits('linux/amd64', 'linux/amd64/v3')).toBeGreaterThan(0);
    expect(suits('linux/amd64/v3', 'linux/amd64')).toBe(0);
  });

  it('may leave out v8 of arm64', () => {
    expect(suits('linux/arm64/v8', 'linux/arm64')).toBe(suits('linux/arm64', 'linux/arm64'));
    expect(suits('linux/arm64', 'linux/arm64/v8')).toBe(100);
  });
});

it('an image whose config leaves out the variant may be for any', () => {
  const arm = { os: 'linux', architecture: 'arm' };
  for (const wanted of ['linux/arm/v5', 'linux/arm/v6', 'linux/arm/v7']) {
    expect(isImageFor(arm, parsePlatform(wanted))).toBe(true);
  }
  expect(isImageFor({ ...arm, variant: 'v7' }, parsePlatform('linux/arm/v6'))).toBe(false);
  expect(isImageFor({ ...arm, variant: 'v6' }, parsePlatform('linux/arm/v7'))).toBe(true);
  expect(isImageFor(arm, parsePlatform('linux/arm64'))).toBe(false);
});
