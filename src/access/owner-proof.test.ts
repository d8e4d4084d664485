import { describe, expect, it } from 'vitest';
import { isFromOwner, ownerProof } from './owner-proof.ts';
import { parseAuthorization } from './sent-credentials.ts';

const NOW = 1_700_000_000_000;
const owner = { secret: 'of the owner', registry: '7.1.boot' };
const token = ownerProof(owner, NOW);
const proves = (text: string, known = owner, now = NOW) => isFromOwner(`Bearer ${text}`, known, now);

describe('a proof that one can read the secret', () => {
  it('holds for the same secret, the same process and five minutes, by clocks that differ a little', () => {
    expect(parseAuthorization(`Bearer ${token}`)).toEqual({ type: 'bearer', token });
    for (const late of [0, 299_000, -299_000]) {
      expect(proves(token, owner, NOW + late), `${late}`).toBe(true);
    }
    for (const late of [302_000, -302_000]) {
      expect(proves(token, owner, NOW + late), `${late}`).toBe(false);
    }
  });

  it('is worth nothing to whoever got it in place of another process', () => {
    expect(proves(token, { ...owner, registry: '8.1.boot' })).toBe(false);
    expect(proves(token, { ...owner, secret: 'of another' })).toBe(false);
    expect(token).not.toContain(owner.secret);
  });

  it('cannot be made of nothing, altered, or given another time', () => {
    const [, seconds, mac] = token.split('.');
    const empty = { ...owner, secret: '' };
    expect(proves(ownerProof(empty, NOW), empty)).toBe(false);
    for (const wrong of [
      '',
      'owner',
      `owner.${seconds}.`,
      `owner.${Number(seconds) + 1}.${mac}`,
      `${token}A`,
      mac ?? '',
    ]) {
      expect(proves(wrong), wrong).toBe(false);
    }
    expect(proves(`owner.${seconds}.${'A'.repeat(43)}`)).toBe(false);
    expect(isFromOwner(`Basic ${token}`, owner, NOW)).toBe(false);
  });
});
