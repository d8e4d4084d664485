import { describe, expect, it } from 'vitest';
import { digestOf } from '../../oci/digest.ts';
import { drawProgress } from './draw.ts';
import { formatBytes, formatCount, formatRemaining } from './format.ts';
import { createProgress } from './progress.ts';

const DIGEST = digestOf(new TextEncoder().encode('blob'));
const OTHER = digestOf(new TextEncoder().encode('other'));

function half() {
  const progress = createProgress();
  progress.apply({ type: 'plan', images: 2, blobs: 2, bytes: 3_000_000, alreadyThere: 500 }, 0);
  progress.apply({ type: 'blob', digest: DIGEST, size: 2_000_000, from: 0 }, 0);
  progress.apply({ type: 'blob', digest: OTHER, size: 1_500_000, from: 500_000 }, 0);
  progress.apply({ type: 'progress', digest: DIGEST, bytes: 1_000_000 }, 1000);
  progress.apply({ type: 'progress', digest: OTHER, bytes: 1_000_000 }, 1000);
  return progress;
}

describe('progress', () => {
  it('counts what came in this run, not what was there', () => {
    const { fetched, bytes, blobs } = half().snapshot(1000);
    expect([fetched, bytes]).toEqual([1_500_000, 3_000_000]);
    expect(blobs.map((blob) => blob.bytes)).toEqual([1_000_000, 1_000_000]);
  });

  it('works out the rate and the time that remains', () => {
    const { rate, remaining } = half().snapshot(1000);
    expect(rate).toBe(1_500_000);
    expect(remaining).toBe(1);
  });

  it('shows neither before there is enough data', () => {
    const progress = createProgress();
    progress.apply({ type: 'plan', images: 1, blobs: 1, bytes: 10, alreadyThere: 0 }, 0);
    expect(progress.snapshot(100)).not.toHaveProperty('rate');
    expect(progress.snapshot(5000)).not.toHaveProperty('remaining');
  });

  it('says before there is a plan what has been compressed and sent', () => {
    const progress = createProgress();
    progress.apply({ type: 'compressing', bytes: 12_000_000 }, 0);
    expect(drawProgress(progress.snapshot(100), { columns: 120, rows: 24 })).toBe('12.0 MB of layers compressed');
    progress.apply({ type: 'blob', digest: DIGEST, size: 4_000_000, from: 0 }, 100);
    progress.apply({ type: 'progress', digest: DIGEST, bytes: 3_000_000 }, 150);
    expect(drawProgress(progress.snapshot(150), { columns: 120, rows: 24 })).toBe(
      '12.0 MB of layers compressed, 3.0 MB sent',
    );
    expect(drawProgress(progress.snapshot(150), { columns: 20, rows: 24 })).toBe('12.0 MB of layers c');
    progress.apply({ type: 'plan', images: 1, blobs: 1, bytes: 10, alreadyThere: 0 }, 200);
    expect(progress.snapshot(300)).not.toHaveProperty('compressing');
  });

  it('subtracts the bytes of an attempt that has to begin again', () => {
    const progress = half();
    progress.apply({ type: 'blob', digest: DIGEST, size: 2_000_000, from: 0 }, 1100);
    expect(progress.snapshot(1100).fetched).toBe(500_000);
  });

  it('forgets blobs that are done and counts images, failed ones too', () => {
    const progress = half();
    progress.apply({ type: 'blob-done', digest: DIGEST }, 2000);
    progress.apply({ type: 'image-done', image: 'a', digest: DIGEST }, 2000);
    const { blobs, imagesDone } = progress.snapshot(2000);
    expect(blobs.map((blob) => blob.digest)).toEqual([OTHER]);
    expect(imagesDone).toBe(1);
  });
});

describe('drawing', () => {
  it('shows bytes, rate, remaining time and images, then each blob', () => {
    const [total, blob] = drawProgress(half().snapshot(1000), { columns: 120, rows: 24 }).split('\n');
    expect(total).toBe('[############------------]  1.5 MB of 3.0 MB  1.5 MB/s  0:01 left  0/2 images');
    expect(blob).toBe(`[############------------]  ${DIGEST.slice(7, 19)}  1.0 MB of 2.0 MB`);
  });

  it('never wraps, and on narrow terminals gives up its bars before its figures', () => {
    const drawn = (columns: number) => drawProgress(half().snapshot(1000), { columns, rows: 24 });
    for (const columns of [1, 10, 30, 50, 60, 80]) {
      const lengths = drawn(columns)
        .split('\n')
        .map((line) => line.length);
      expect(Math.max(...lengths)).toBeLessThanOrEqual(Math.max(1, columns - 1));
    }
    expect(drawn(70)).toMatch(/^\[#+-+\] {2}1\.5 MB of 3\.0 MB {2}1\.5 MB\/s {2}0:01 left {2}0\/2 images\n/);
    expect(drawn(53)).toMatch(/^1\.5 MB of 3\.0 MB {2}1\.5 MB\/s {2}0:01 left {2}0\/2 images\n/);
  });

  it('leaves out blobs for which the terminal has no lines', () => {
    expect(drawProgress(half().snapshot(1000), { columns: 80, rows: 3 }).split('\n')).toHaveLength(2);
  });
});

describe('numbers', () => {
  it('are short', () => {
    expect([0, 999, 1000, 999_949, 999_950, 350_100_000, 5e9].map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '350.1 MB',
      '5.0 GB',
    ]);
    expect([0, 42, 61.4, 3723].map(formatRemaining)).toEqual(['0:00', '0:42', '1:01', '1:02:03']);
    expect([formatCount(1, 'image'), formatCount(2, 'repository', 'repositories')]).toEqual([
      '1 image',
      '2 repositories',
    ]);
  });
});
