// Charts that other programs install: Argo CD Applications, Flux HelmReleases, k3s HelmCharts. Values are read by other rules, single
// parameters (`image.tag: v1`) by this one. Warns of a chart that is elsewhere and for which no image is set, since its images are not found.
import type { Finding, ListedRule, Path, ScannedDocument, Warning } from '../contract.ts';
import { asFields, type Fields, fieldOf, listOf, scalarOf, textOf, valueAt } from '../fields.ts';
import { imageKey } from '../key-names.ts';
import { pathOf } from '../path.ts';
import { mayMention, type Visit, visitsOf } from '../walk.ts';
import { splitFields } from './split-fields.ts';

const RULE = 'remote-charts';
const CHARTS = /argoproj\.io|helm\.toolkit\.fluxcd\.io|helm\.cattle\.io/;
const SAMPLE = `apiVersion: argoproj.io/v1alpha1
kind: Application
spec:
  source:
    chart: web
    helm:
      parameters:
        - {name: image.repository, value: quay.io/a/web}
        - {name: image.tag, value: v1}
`;

export const remoteCharts: ListedRule = {
  name: RULE,
  clue: CHARTS,
  sample: SAMPLE,
  matches: (document) => mayMention(document, CHARTS),
  *find(document) {
    const visits = visitsOf(document);
    const withImages = new Set(visits.filter(setsImage).map(({ object }) => object));
    for (const visit of visits) {
      const chart = chartAt(visit, document);
      if (chart?.name && !withImages.has(visit.object)) {
        const text = `the chart [${chart.name}] is elsewhere: its images are not found`;
        yield { file: document.file, line: document.lineOf(pathOf(visit)), text };
      }
      if (chart && chart.parameters.length > 0) yield* findInParameters(document, chart.parameters);
    }
  },
};

/** Whether this is a field for an image, or a text of values that contains one. */
function setsImage({ key, value }: Visit): boolean {
  if (typeof key !== 'string') return /\bimage\b/.test(textOf(value, 'name') ?? '');
  return imageKey(key) === 'yes' || (typeof value === 'string' && /^values/.test(key) && /image:/i.test(value));
}

interface RemoteChart {
  /** `undefined` if the chart may be in the same repository. */
  readonly name: string | undefined;
  readonly parameters: readonly Parameter[];
}

/** A value of the chart, such as `controller.image.tag`, and where it is set. */
interface Parameter {
  readonly name: string;
  readonly value: string;
  readonly path: Path;
}

function chartAt(visit: Visit, { isEmbedded }: ScannedDocument): RemoteChart | undefined {
  const { object, value } = visit;
  const path = pathOf(visit);
  const isWhole = object !== undefined && value === object.fields;
  if (object?.group === 'argoproj.io' && (visit.key === 'source' || visit.parent?.key === 'sources')) {
    return { name: textOf(value, 'chart'), parameters: listed(fieldOf(value, 'helm'), [...path, 'helm']) };
  }
  if (isWhole && object.group === 'helm.toolkit.fluxcd.io' && object.kind === 'HelmRelease') {
    const chart = valueAt(value, 'spec', 'chart', 'spec');
    const isNear = valueAt(chart, 'sourceRef', 'kind') === 'GitRepository';
    const reference = valueAt(value, 'spec', 'chartRef');
    // The rule for charts resolves the reference to a HelmChart.
    const isFollowed = textOf(reference, 'kind') === 'HelmChart' && !isEmbedded;
    const name = textOf(chart, 'chart') ?? (isFollowed ? undefined : textOf(reference, 'name'));
    return { name: isNear ? undefined : name, parameters: [] };
  }
  if (isWhole && object.group === 'helm.cattle.io' && object.kind === 'HelmChart') {
    const spec = fieldOf(value, 'spec');
    const content = textOf(spec, 'chartContent');
    // The rule for charts renders a packed chart in an object of a file, or warns. It does not see embedded objects.
    const inside = isEmbedded ? 'chartContent' : undefined;
    return {
      name: content ? inside : remoteName(textOf(spec, 'chart')),
      parameters: mapped(asFields(fieldOf(spec, 'set')), [...path, 'spec', 'set']),
    };
  }
  return undefined;
}

/** Limits the number of levels in a name, each of which has a position. No chart has values nested that deep. */
const MAX_NAME = 500;

function listed(helm: unknown, path: Path): readonly Parameter[] {
  return listOf(helm, 'parameters').flatMap((entry, index) => {
    const name = textOf(entry, 'name');
    const value = scalarOf(entry, 'value');
    return name === undefined || value === undefined || name.length > MAX_NAME
      ? []
      : [{ name, value, path: [...path, 'parameters', index, 'value'] }];
  });
}

function mapped(set: Fields | undefined, path: Path): readonly Parameter[] {
  return Object.keys(set ?? {}).flatMap((name) => {
    const value = scalarOf(set, name);
    return value === undefined || name.length > MAX_NAME ? [] : [{ name, value, path: [...path, name] }];
  });
}

/** Joins registry, repository and tag that are set by separate parameters, by applying the rule for split fields to the values they form. */
function* findInParameters(document: ScannedDocument, parameters: readonly Parameter[]): Iterable<Finding | Warning> {
  const positions = positionsOf(parameters);
  const positionOf = (path: Path): Path => positions.get(path.join('.')) ?? [];
  const values: ScannedDocument = {
    file: document.file,
    value: nested(parameters),
    isEmbedded: true,
    lineOf: (path) => document.lineOf(positionOf(path)),
    lineInText: (path) => document.lineOf(positionOf(path)),
  };
  for (const found of splitFields.find(values)) yield 'image' in found ? { ...found, rule: RULE } : found;
}

/** The position at which each value is set. For a map of values, the position of the first one. */
function positionsOf(parameters: readonly Parameter[]): ReadonlyMap<string, Path> {
  const positions = new Map<string, Path>();
  for (const { name, path } of parameters) {
    for (let end = name.length; end > 0; end = name.lastIndexOf('.', end - 1)) {
      const part = name.slice(0, end);
      if (!positions.has(part)) positions.set(part, path);
    }
  }
  return positions;
}

function nested(parameters: readonly Parameter[]): Fields {
  const top = new Map<string, unknown>();
  for (const { name, value } of parameters) {
    const keys = name.split('.');
    const last = keys.pop() ?? name;
    let at = top;
    for (const key of keys) {
      const inner = at.get(key);
      const next = inner instanceof Map ? inner : new Map<string, unknown>();
      at.set(key, next);
      at = next;
    }
    at.set(last, value);
  }
  return plain(top);
}

function plain(map: ReadonlyMap<string, unknown>): Fields {
  return Object.fromEntries([...map].map(([key, value]) => [key, value instanceof Map ? plain(value) : value]));
}

/** Returns `undefined` for a relative path, which leads to a chart in the tree. */
function remoteName(chart: string | undefined): string | undefined {
  return chart?.startsWith('./') || chart?.startsWith('../') ? undefined : chart;
}
