import { describe, expect, it } from 'vitest';
import { expositionText, metricBy, metricOf } from './exposition.ts';
import { createHistogram } from './histogram.ts';

describe('the text for Prometheus', () => {
  it('has a type and a help for each name, and escapes what it must', () => {
    const text = expositionText([
      metricOf('images_a_total', 'Has a \\ and\na line.', 3),
      metricOf('images_unknown', 'Nobody knows.', undefined),
      metricBy('images_b', 'By name.', { label: 'name', values: [['a"b\\c\nd', 0.5]] }),
      metricOf('images_endless', 'More than all.', Number.POSITIVE_INFINITY),
    ]);
    expect(text).toBe(
      [
        '# HELP images_a_total Has a \\\\ and\\na line.',
        '# TYPE images_a_total counter',
        'images_a_total 3',
        '# HELP images_b By name.',
        '# TYPE images_b gauge',
        'images_b{name="a\\"b\\\\c\\nd"} 0.5',
        '# HELP images_endless More than all.',
        '# TYPE images_endless gauge',
        'images_endless +Inf',
        '',
      ].join('\n'),
    );
  });

  it('has histograms whose buckets hold all that is not larger', () => {
    const histogram = createHistogram([1, 5]);
    for (const value of [0.5, 1, 1.5, 100]) histogram.observe(value);
    const samples = histogram.samples({ kind: 'x' });
    expect(
      expositionText([{ name: 'h', type: 'histogram', help: 'H.', samples }])
        .split('\n')
        .slice(2),
    ).toEqual([
      'h_bucket{kind="x",le="1"} 2',
      'h_bucket{kind="x",le="5"} 3',
      'h_bucket{kind="x",le="+Inf"} 4',
      'h_sum{kind="x"} 103',
      'h_count{kind="x"} 4',
      '',
    ]);
  });
});
