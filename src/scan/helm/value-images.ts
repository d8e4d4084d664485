// Images in values.yaml that no template uses by default: complete, or split into registry, repository and tag. Always maybes.
import type { Finding } from '../contract.ts';
import { judgeImageWithCare } from '../image-text.ts';
import { formatPath } from '../path.ts';
import { pathIn } from './chart-parts.ts';
import { createRepositoryParts } from './name-parts.ts';
import { isDictionary } from './template/values.ts';
import type { ValuedChart } from './values.ts';

type Path = readonly (string | number)[];

/** `known` are the images that were found otherwise. They are left out, and so are their repositories with other tags. */
export async function imagesInValues(valued: ValuedChart, known: ReadonlySet<string>): Promise<readonly Finding[]> {
  // The registry and the last part of the name may come from elsewhere in the values.
  const repositories = createRepositoryParts(Array.from(known, repositoryOf));
  const findings: Finding[] = [];
  await collectChart(valued, async (chart) => {
    const { tree, directory } = chart.chart;
    const file = pathIn(directory, 'values.yaml');
    if (!tree.has(file)) return;
    const [document] = await tree.documents(file);
    if (!document) return;
    const appVersion = String(chart.chart.metadata.appVersion ?? '');
    const subcharts = new Set(chart.chart.subcharts.map((subchart) => subchart.chart.name));
    const elsewhere = new Set(chart.chart.dependencies.map(({ name, alias }) => alias ?? name));
    for (const found of imagesBelow(chart.values, [])) {
      // The values of a subchart are examined with the subchart.
      if (subcharts.has(String(found.path[0]))) continue;
      // `appVersion` is the version of this chart's program. It does not apply to values of a missing subchart.
      const isOwn = appVersion !== '' && !elsewhere.has(String(found.path[0]));
      const image = found.hasVersion || !isOwn ? found.image : `${found.image}:${appVersion}`;
      if (repositories.hasPart(repositoryOf(image))) continue;
      findings.push({
        image,
        certainty: 'maybe',
        reason: reasonFor(chart, found.path),
        rule: 'helm, values',
        position: { file, line: document.lineOf(found.path), path: formatPath(found.path) },
      });
    }
  });
  return findings;
}

async function collectChart(valued: ValuedChart, look: (chart: ValuedChart) => Promise<void>): Promise<void> {
  await look(valued);
  for (const subchart of valued.subcharts) await collectChart(subchart, look);
}

interface ValueImage {
  readonly image: string;
  readonly path: Path;
  readonly hasVersion: boolean;
}

function* imagesBelow(value: unknown, path: Path): Iterable<ValueImage> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* imagesBelow(item, [...path, index]);
    return;
  }
  if (!isDictionary(value)) return;
  const split = splitImage(value, path);
  if (split) yield split;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'string' && /image$/i.test(key) && !split) {
      const judged = judgeImageWithCare(item);
      if (judged.kind === 'image' && !isSplitElsewhere(value, key)) {
        const hasVersion = judged.reference.tag !== undefined || judged.reference.digest !== undefined;
        yield { image: judged.image, path: [...path, key], hasVersion };
      }
    } else yield* imagesBelow(item, [...path, key]);
  }
}

/** `{registry, repository | image | name, tag, digest | sha}`: at least two of the fields, or the key says that it is an image. */
function splitImage(value: Record<string, unknown>, path: Path): ValueImage | undefined {
  const text = (...names: readonly string[]): string => {
    const found = names.map((name) => value[name]).find((item) => item !== undefined && item !== null && item !== '');
    return typeof found === 'string' || typeof found === 'number' ? String(found) : '';
  };
  const key = String(path.at(-1) ?? '');
  const isNamedImage = /image$/i.test(key);
  const name = text('repository') || (isNamedImage || 'tag' in value ? text('image', 'name') : '');
  if (name === '' || !('tag' in value || 'digest' in value || isNamedImage)) return undefined;
  const registry = text('registry', 'hub');
  const digest = text('digest', 'sha');
  const tag = text('tag', 'version');
  const repository = registry === '' ? name : `${registry}/${name}`;
  const at = digest === '' ? '' : `@${digest.includes(':') ? digest : `sha256:${digest}`}`;
  const image = `${repository}${tag === '' ? '' : `:${tag}`}${at}`;
  if (judgeImageWithCare(image).kind !== 'image') return undefined;
  return { image, path, hasVersion: tag !== '' || digest !== '' };
}

/** `image: foo` beside `tag: bar` (or `imageTag`) is only a part of a reference. */
function isSplitElsewhere(value: Record<string, unknown>, key: string): boolean {
  return 'tag' in value || `${key}Tag` in value;
}

/** The nearest switch above the image that is off. */
function reasonFor(chart: ValuedChart, path: Path): string {
  if (chart.off !== undefined) return `off by default: ${chart.off}`;
  for (let length = path.length; length > 0; length--) {
    const above = path.slice(0, length);
    const value = above.reduce<unknown>((at, key) => (at as Record<string | number, unknown>)?.[key], chart.values);
    for (const name of ['enabled', 'create', 'install']) {
      if (isDictionary(value) && value[name] === false) return `off by default: ${formatPath([...above, name])}`;
    }
  }
  return 'no template uses it with the default values';
}

function repositoryOf(image: string): string {
  const bare = image.split('@')[0] ?? image;
  const colon = bare.lastIndexOf(':');
  return colon > bare.lastIndexOf('/') ? bare.slice(0, colon) : bare;
}
