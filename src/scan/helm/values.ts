// The values of a chart and its subcharts, merged as Helm does, and which subcharts they enable. Relies on chart.ts.
import type { Chart } from './chart.ts';
import type { Dependency } from './chart-parts.ts';
import { copyOf, type Dictionary, dictionary, isDictionary } from './template/values.ts';

/** A chart with the values that its templates see. */
export interface ValuedChart {
  readonly chart: Chart;
  readonly values: Dictionary;
  /** The condition that switches it off by default: `redis.enabled`. */
  readonly off: string | undefined;
  readonly subcharts: readonly ValuedChart[];
}

/** Merges `given` over the chart's values (helm.sh/docs/chart_template_guide/subcharts_and_globals, …/topics/charts "Tags and Condition fields"). */
export function withValues(chart: Chart, given: Dictionary = dictionary()): ValuedChart {
  const values = copyOf(given);
  fillIn(values, chart.values);
  coalesceSubcharts(chart, values);
  importValues(chart, values);
  return valued(chart, { values, tags: isDictionary(values.tags) ? values.tags : {}, off: undefined });
}

function valued(
  chart: Chart,
  given: { readonly values: Dictionary; readonly tags: Dictionary; readonly off: string | undefined },
): ValuedChart {
  const subcharts = chart.subcharts.map((subchart) => {
    const values = given.values[subchart.chart.name];
    return valued(subchart.chart, {
      values: isDictionary(values) ? values : dictionary(),
      tags: given.tags,
      off: given.off ?? switchedOffBy(subchart.dependency, given),
    });
  });
  return { chart, values: given.values, off: given.off, subcharts };
}

/** The tag or condition that switches a dependency off. A condition that is set outweighs tags; one tag that is on outweighs other tags. */
export function switchedOffBy(
  dependency: Dependency | undefined,
  parent: { readonly values: Dictionary; readonly tags: Dictionary },
): string | undefined {
  for (const condition of dependency?.conditions ?? []) {
    const value = valueAtPath(parent.values, condition);
    if (typeof value === 'boolean') return value ? undefined : condition;
  }
  const tags = (dependency?.tags ?? []).filter((tag) => typeof parent.tags[tag] === 'boolean');
  if (tags.length === 0 || tags.some((tag) => parent.tags[tag] === true)) return undefined;
  return `tags.${tags[0]}`;
}

/** Gives each subchart its part of the parent's values and the parent's globals, over its own defaults. */
function coalesceSubcharts(chart: Chart, values: Dictionary): void {
  for (const { chart: child } of chart.subcharts) {
    const given = values[child.name];
    const target = isDictionary(given) ? given : dictionary();
    values[child.name] = target;
    if (isDictionary(values.global)) {
      const global = isDictionary(target.global) ? target.global : dictionary();
      target.global = mergeOver(global, values.global);
    }
    fillIn(target, child.values);
    coalesceSubcharts(child, target);
    importValues(child, target);
  }
}

/** Fills in defaults. A null in the given values removes a default. */
function fillIn(target: Dictionary, defaults: Dictionary): void {
  for (const [key, value] of Object.entries(defaults)) {
    const given = target[key];
    if (given === undefined) target[key] = copyOf(value);
    else if (given === null) delete target[key];
    else if (isDictionary(given) && isDictionary(value)) fillIn(given, value);
  }
}

/** Merges `source` over `target`, in place. */
export function mergeOver(target: Dictionary, source: Dictionary): Dictionary {
  for (const [key, value] of Object.entries(source)) {
    const known = target[key];
    target[key] = isDictionary(known) && isDictionary(value) ? mergeOver(known, value) : copyOf(value);
  }
  return target;
}

/** `import-values`: `data` means the child's `exports.data`, and `{child, parent}` any path. The parent's own values win. */
function importValues(chart: Chart, values: Dictionary): void {
  for (const { chart: child, dependency } of chart.subcharts) {
    for (const entry of dependency?.imports ?? []) {
      const [from, to] = isDictionary(entry)
        ? [String(entry.child), String(entry.parent)]
        : [`exports.${String(entry)}`, '.'];
      const found = valueAtPath(values[child.name], from);
      if (isDictionary(found)) fillIn(dictionaryAt(values, to), found);
    }
  }
}

export function valueAtPath(value: unknown, path: string): unknown {
  return path.split('.').reduce((at, key) => (isDictionary(at) && Object.hasOwn(at, key) ? at[key] : undefined), value);
}

function dictionaryAt(values: Dictionary, path: string): Dictionary {
  return path
    .split('.')
    .filter(Boolean)
    .reduce((at, key) => {
      const known = at[key];
      const next = isDictionary(known) ? known : dictionary();
      at[key] = next;
      return next;
    }, values);
}
