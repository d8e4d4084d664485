// The text format of Prometheus, version 0.0.4 ("Exposition formats" in its documentation). Pure.

export type MetricType = 'counter' | 'gauge' | 'histogram';

export type MetricLabels = Readonly<Record<string, string>>;

export interface MetricSample {
  /** What follows the family's name: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels?: MetricLabels;
  readonly value: number;
}

/** All samples of one name. */
export interface MetricFamily {
  /** `[a-z][a-z0-9_]*`; counters end with `_total`. */
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

/** Families without samples are left out. */
export function expositionText(families: Iterable<MetricFamily>): string {
  let text = '';
  for (const { name, type, help, samples } of families) {
    if (samples.length === 0) continue;
    text += `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
    for (const { suffix = '', labels, value } of samples)
      text += `${name}${suffix}${labelText(labels)} ${valueText(value)}\n`;
  }
  return text;
}

/** A family with one sample; none if there is no value. */
export function metricOf(name: string, help: string, value: number | undefined): MetricFamily {
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  return { name, type, help, samples: value === undefined ? [] : [{ value }] };
}

/** A family with a sample for each value of one label. */
export function metricBy(
  name: string,
  help: string,
  { label, values }: { readonly label: string; readonly values: Iterable<readonly [string, number]> },
): MetricFamily {
  const type = name.endsWith('_total') ? 'counter' : 'gauge';
  return { name, type, help, samples: [...values].map(([key, value]) => ({ labels: { [label]: key }, value })) };
}

function labelText(labels: MetricLabels | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(
    ([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`,
  );
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
