// A histogram of Prometheus: how many values are at most as large as each of some bounds, their number and their sum.
import type { MetricLabels, MetricSample } from './exposition.ts';

export interface Histogram {
  observe(value: number): void;
  samples(labels?: MetricLabels): readonly MetricSample[];
}

/** `bounds` are in ascending order. */
export function createHistogram(bounds: readonly number[]): Histogram {
  /** The last is of larger ones. */
  const counts = new Array<number>(bounds.length + 1).fill(0);
  let sum = 0;
  return {
    observe: (value) => {
      let at = 0;
      while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
      counts[at] = (counts[at] ?? 0) + 1;
      sum += value;
    },
    samples: (labels = {}) => {
      let count = 0;
      const buckets = counts.map((more, at) => {
        count += more;
        const le = at < bounds.length ? String(bounds[at]) : '+Inf';
        return { suffix: '_bucket', labels: { ...labels, le }, value: count };
      });
      return [...buckets, { suffix: '_sum', labels, value: sum }, { suffix: '_count', labels, value: count }];
    },
  };
}
