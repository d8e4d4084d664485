// The findings in rendered manifests, at their positions in the templates, with the state of their lines: switched off, test, in doubt.
// Relies on the document rules through find-in-text.ts.
import type { DocumentRule, Finding, Warning } from '../contract.ts';
import { findInText } from '../find-in-text.ts';
import { imageLines } from '../lines.ts';
import type { RenderedManifest } from './render.ts';

export interface FoundInCharts {
  readonly findings: readonly Finding[];
  readonly warnings: readonly Warning[];
}

/** The findings in rendered manifests, at their positions in the templates. */
export function findInManifests(manifests: readonly RenderedManifest[], rules: readonly DocumentRule[]): FoundInCharts {
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  for (const manifest of manifests) {
    const found = findInText(manifest.file, manifest.text, { rules });
    const tests = testLines(manifest.text);
    for (const finding of found.findings) findings.push(inTemplate(finding, manifest, tests));
    for (const warning of /image/i.test(manifest.text) ? found.warnings : []) {
      const line = warning.line === undefined ? undefined : manifest.lines[warning.line - 1]?.line;
      warnings.push(line ? { ...warning, line } : { file: warning.file, text: warning.text });
    }
  }
  return { findings, warnings };
}

/** Finds images on lines that are switched off. If both sides of a condition begin with the same field, parsing drops the first as a duplicate key. */
export function* switchedOffLines({ file, text, lines }: RenderedManifest): Iterable<Finding> {
  for (const [index, line] of text.split('\n').entries()) {
    const { off, line: at = 1 } = lines[index] ?? {};
    if (off === undefined || !/^\s*(?:-\s+)?image:\s*["']?[\w.-]+[/:@]/.test(line)) continue;
    for (const found of imageLines(file, { firstLine: at, line: at, text: line, reason: '' })) {
      if ('image' in found) yield { ...asMaybe(found, `off by default: ${off}`), rule: `helm, ${found.rule}` };
    }
  }
}

function inTemplate(finding: Finding, manifest: RenderedManifest, tests: ReadonlySet<number>): Finding {
  const line = manifest.lines[finding.position.line - 1];
  const position = { ...finding.position, line: line?.line || 1 };
  const at: Finding = { ...finding, rule: `helm, ${finding.rule}`, position };
  if (manifest.off !== undefined) return asMaybe(at, `off by default: ${manifest.off}`);
  if (line?.off !== undefined) return asMaybe(at, `off by default: ${line.off}`);
  if (tests.has(finding.position.line)) return asMaybe(at, 'only run by `helm test`');
  if (finding.image === 'auto') return asMaybe(at, "Istio's injector puts its proxy there");
  if (line?.doubtful) return asMaybe(at, 'a condition that cannot be worked out here decides whether it is used');
  return at;
}

export function asMaybe(finding: Finding, reason: string): Finding {
  return { ...finding, certainty: 'maybe', reason: finding.reason ?? reason };
}

/** The lines of manifests that are test hooks (helm.sh/docs/topics/chart_tests). */
function testLines(text: string): ReadonlySet<number> {
  const tests = new Set<number>();
  if (!text.includes('helm.sh/hook')) return tests;
  let line = 1;
  for (const part of text.split(/^(?=---)/m)) {
    const count = part.split('\n').length - 1;
    const hooks = part.matchAll(/helm\.sh\/hook["']?\s*:\s*["']?(?=([\w,\s-]*))/g);
    const isTest = [...hooks].some(([, events = '']) => /\btest(?:-success|-failure)?\b/.test(events));
    for (let at = line; isTest && at <= line + count; at++) tests.add(at);
    line += count;
  }
  return tests;
}
