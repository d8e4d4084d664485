// Renders a chart with values to the manifests that `helm template` would print, each line with its line in the template. Relies on the template engine.
import { addAll } from '../../oci/add-all.ts';
import { byBytes } from '../byte-order.ts';
import type { Warning } from '../contract.ts';
import { builtInObjects, type Cluster } from './built-in-objects.ts';
import type { Chart, TemplateFile } from './chart.ts';
import { type ChartBudget, ChartTooCostlyError, COST, isSpent } from './chart-budget.ts';
import { COMMON_TEMPLATES } from './common-templates.ts';
import { FUNCTIONS } from './functions/functions.ts';
import { TemplateError } from './template/errors.ts';
import { renderTemplate } from './template/evaluator.ts';
import { TemplateSyntaxError } from './template/lexer.ts';
import { type Body, type ParsedTemplate, parseTemplate } from './template/parser.ts';
import { type Dictionary, DOUBT, dictionary, UNKNOWN } from './template/values.ts';
import { type ValuedChart, withValues } from './values.ts';

export interface RenderedManifest {
  readonly file: string;
  readonly text: string;
  readonly lines: readonly ManifestLine[];
  /** The condition that switches the chart off by default. */
  readonly off: string | undefined;
}

export interface ManifestLine {
  /** The line in the template, from 1. */
  readonly line: number;
  readonly off?: string;
  /** Whether an unknown condition decides if the line is there. */
  readonly doubtful: boolean;
}

export interface RenderedChart {
  readonly manifests: readonly RenderedManifest[];
  readonly warnings: readonly Warning[];
}

/** The visible form of an unknown part of a text. No rule takes it for part of a reference. */
const SHOWN_UNKNOWN = '<unknown>';

/** Renders a chart and its subcharts, with values over its own. With `explores`, also charts and parts that are off. Throws ChartTooCostlyError. */
export function renderChart(
  top: Chart,
  cluster: Cluster,
  options: { readonly budget: ChartBudget; readonly explores?: boolean; readonly values?: Dictionary },
): RenderedChart {
  const warnings: Warning[] = [];
  // Templates may modify values that later templates see, so each rendering gets its own.
  const charts = [...chartsOf(withValues(top, options.values))].filter(
    (chart) => options.explores || chart.off === undefined,
  );
  const { budget } = options;
  budget.spend(charts.length * COST.rendering);
  for (const { chart } of charts)
    for (const { source } of chart.templates) budget.spend(COST.file + source.length * COST.text);
  const { bodies, named } = parseAll(charts, warnings);
  const parse = cachedParser();
  const manifests: RenderedManifest[] = [];
  const jobs = charts
    .filter(({ chart }) => chart.metadata.type !== 'library')
    .flatMap((chart) => {
      const dot = builtInObjects(chart, cluster);
      return chart.chart.templates.map((template) => ({ chart, template, dot }));
    })
    .sort((a, b) => inHelmsOrder(a.template, b.template));
  for (const { chart, template, dot } of jobs) {
    const body = bodies.get(template.file);
    if (!body || isPartial(template)) continue;
    dot.Template = dictionary([
      ['Name', template.name],
      ['BasePath', `${chart.chart.path}/templates`],
    ]);
    const problems: Warning[] = [];
    const problem = (text: string, line: number): void => {
      problems.push({ file: template.file, line, text: `cannot be worked out with the default values: ${text}` });
    };
    try {
      const rendered = renderTemplate(body, dot, {
        functions: FUNCTIONS,
        templates: named,
        parse,
        problem,
        explores: options.explores ?? false,
        budget,
      });
      budget.spend(rendered.text.length * COST.text);
      manifests.push({ file: template.file, off: chart.off, ...cleanedLines(rendered.text, rendered.lines) });
      // One warning for each template is enough, and only if an image could be missed.
      if (/image/i.test(rendered.text)) addAll(warnings, problems.slice(0, 1));
    } catch (error) {
      if (isSpent(error, budget)) throw new ChartTooCostlyError('what charts may cost is spent');
      const isTemplates = error instanceof TemplateError || error instanceof TemplateSyntaxError;
      if (!isTemplates && !(error instanceof RangeError)) throw error;
      const reason = isTemplates ? error.message : 'it is nested too deeply, or too long';
      warnings.push({ file: template.file, text: `cannot be rendered: ${reason}` });
    }
  }
  manifests.sort((a, b) => byBytes(a.file, b.file));
  return { manifests, warnings };
}

function* chartsOf(chart: ValuedChart): Iterable<ValuedChart> {
  yield chart;
  for (const subchart of chart.subcharts) yield* chartsOf(subchart);
}

/** Template names are shared by all charts. As in Helm, the definition nearest to the top wins, because it is parsed last. */
function parseAll(
  charts: readonly ValuedChart[],
  warnings: Warning[],
): { readonly bodies: ReadonlyMap<string, Body>; readonly named: ReadonlyMap<string, Body> } {
  const bodies = new Map<string, Body>();
  const named = new Map<string, Body>(COMMON_TEMPLATES);
  const deepestFirst = charts.flatMap((chart) => chart.chart.templates).sort(inHelmsOrder);
  for (const template of deepestFirst) {
    try {
      const parsed = parseTemplate(template.source);
      bodies.set(template.file, parsed.body);
      named.set(template.name, parsed.body);
      for (const [name, body] of parsed.defines) named.set(name, body);
    } catch (error) {
      if (!(error instanceof TemplateSyntaxError)) throw error;
      warnings.push({ file: template.file, line: error.line, text: `the template does not parse: ${error.message}` });
    }
  }
  return { bodies, named };
}

/** Helm's order: the deepest first, then reverse alphabetical. It determines which definition wins, and which template sees the changes of another to the values. */
function inHelmsOrder(a: TemplateFile, b: TemplateFile): number {
  return b.name.split('/').length - a.name.split('/').length || (a.name < b.name ? 1 : -1);
}

/** Parses values that are templates. Cached, since they are run repeatedly. */
function cachedParser(): (source: string) => Body {
  const known = new Map<string, ParsedTemplate>();
  return (source) => {
    try {
      const parsed = known.get(source) ?? parseTemplate(source);
      known.set(source, parsed);
      return parsed.body;
    } catch (error) {
      if (error instanceof TemplateSyntaxError) throw new TemplateError(`a value is no template: ${error.message}`);
      throw error;
    }
  };
}

function isPartial({ name }: TemplateFile): boolean {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.startsWith('_') || base === 'NOTES.txt';
}

/** Removes the marks from a text: lines of only unknown text become empty, and a doubt becomes a property of the line. */
export function cleanedLines(
  text: string,
  lines: readonly { readonly line: number; readonly off?: string }[],
): Pick<RenderedManifest, 'text' | 'lines'> {
  const shown: string[] = [];
  const properties: ManifestLine[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const plain = line.replaceAll(DOUBT, '');
    shown.push(ONLY_UNKNOWN.test(plain) ? '' : plain.replaceAll(UNKNOWN, SHOWN_UNKNOWN));
    properties.push({ ...(lines[index] ?? { line: 1 }), doubtful: plain.length < line.length });
  }
  return { text: shown.join('\n'), lines: properties };
}

const ONLY_UNKNOWN = new RegExp(`^[\\s${UNKNOWN}]*$`);
