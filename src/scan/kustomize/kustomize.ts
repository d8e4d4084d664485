// The rule for kustomizations: builds those that no other one includes, and runs the document rules on the results.
// An image is reported where it was written, or where the `images:` entry or patch that changed it is written.
import { addAll } from '../../oci/add-all.ts';
import type {
  DocumentRule,
  FilePosition,
  FileTree,
  Finding,
  Path,
  ScannedDocument,
  TreeFindings,
  TreeRule,
  Warning,
} from '../contract.ts';
import type { KnownVariables } from '../fill-in.ts';
import { findInDocument } from '../find-in-document.ts';
import { findInText } from '../find-in-text.ts';
import { fluxSubstitutions, type Substitutions } from '../flux/substitutions.ts';
import { formatPath } from '../path.ts';
import { withPatterns } from '../patterns.ts';
import { resolveIn } from '../tree-paths.ts';
import { buildKustomization } from './build.ts';
import { type BuildState, KUSTOMIZE_LIMITS, type KustomizeLimits } from './build-state.ts';
import { entriesOf, type Kustomization, kustomizationsIn } from './kustomization.ts';
import { filePositionOf, type Resource, sourceOf } from './resource.ts';
import { asUnused, unusedPatches } from './unused-patches.ts';

/** Makes the rule. `documentRules` run on the built resources. */
export function kustomizations(documentRules: readonly DocumentRule[], limits = KUSTOMIZE_LIMITS): TreeRule {
  const rule: RuleParts = { documentRules, limits };
  return {
    name: 'kustomize',
    find: (tree) => withPatterns(() => findAll(tree, rule)),
    findNamed: (tree, file) => withPatterns(() => findNamed(tree, file, rule)),
  };
}

interface RuleParts {
  readonly documentRules: readonly DocumentRule[];
  readonly limits: KustomizeLimits;
}

async function findAll(tree: FileTree, rule: RuleParts): Promise<TreeFindings> {
  const all = await kustomizationsIn(tree);
  const look = createLook(tree, all, rule);
  const roots = rootsOf(all);
  for (const root of roots) await look.into(root);
  // Flux may deploy a kustomization that others include, too.
  for (const directory of look.deployed()) {
    const other = all.get(directory);
    if (other && !roots.includes(other)) await look.into(other);
  }
  look.finish();
  const { findings, warnings, claimed } = look;
  for (const file of await unusedPatches(tree, { directories: new Set(all.keys()), claimed })) {
    claimed.add(file);
    const rest = findInText(file, await tree.read(file), { rules: rule.documentRules });
    addAll(findings, rest.findings.map(asUnused));
  }
  return { findings, warnings, claimed };
}

async function findNamed(tree: FileTree, file: string, rule: RuleParts): Promise<TreeFindings | undefined> {
  const all = await kustomizationsIn(tree);
  const root = [...all.values()].find((one) => one.file === file);
  if (!root) return undefined;
  const look = createLook(tree, all, rule);
  await look.into(root);
  return look;
}

interface Look extends TreeFindings {
  readonly findings: Finding[];
  readonly claimed: Set<string>;
  /** Builds a kustomization and finds its images. */
  into(root: Kustomization): Promise<void>;
  /** Warns of the kustomizations that were not built. */
  finish(): void;
  /** Directories that Flux deploys with variables. Empty unless a variable made the search for them necessary. */
  deployed(): readonly string[];
}

function createLook(tree: FileTree, all: ReadonlyMap<string, Kustomization>, rule: RuleParts): Look {
  const { documentRules: rules, limits } = rule;
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const claimed = new Set<string>();
  const state: BuildState = {
    tree,
    kustomizations: all,
    warn: (warning) => warnings.push(warning),
    claim: (file) => claimed.add(file),
    built: new Map(),
    incomplete: new Set(),
    unfinished: new Set(),
    budget: { resources: 0, work: 0, isCut: false },
  };
  const left = { resources: limits.together * limits.resources, work: limits.together * limits.work };
  const unbuilt: string[] = [];
  let substitutions: Substitutions | undefined;
  const into = async (root: Kustomization): Promise<void> => {
    const reason = root.isComponent ? 'only in a component that no kustomization uses' : undefined;
    // The resources that a component changes are unknown here.
    if (root.isComponent) state.incomplete.add(root.directory);
    if (left.resources <= 0 || left.work <= 0) {
      unbuilt.push(root.file);
      return;
    }
    const { budget } = state;
    const given = { resources: Math.min(limits.resources, left.resources), work: Math.min(limits.work, left.work) };
    Object.assign(budget, given, { isCut: false });
    const resources = await buildKustomization(state, root);
    left.resources -= given.resources - budget.resources;
    left.work -= given.work - budget.work;
    if (budget.resources < 0)
      warnings.push({
        file: root.file,
        text: `makes more than ${given.resources} resources: not all of its images are found`,
      });
    else if (budget.isCut)
      warnings.push({
        file: root.file,
        text: 'has too many changes for too many resources: not all are made, so its images are maybes',
      });
    if (!substitutions && resources.some(({ value }) => hasVariable(value))) {
      substitutions = await fluxSubstitutions(tree);
      addAll(warnings, substitutions.warnings);
    }
    const environments = substitutions?.environmentsOf(root.file);
    for (const resource of resources) {
      for (const one of findInResource(resource, rules, environments)) {
        if (!('image' in one)) warnings.push(one);
        else if (reason === undefined) findings.push(one);
        else findings.push({ ...one, certainty: 'maybe', reason });
      }
    }
  };
  const finish = (): void => {
    const [file] = unbuilt;
    if (file === undefined) return;
    const others = unbuilt.length > 1 ? `this and ${unbuilt.length - 1} more are` : 'it is';
    warnings.push({
      file,
      text: `${others} not built: the kustomizations before cost too much; their files are read alone`,
    });
  };
  return { findings, warnings, claimed, into, finish, deployed: () => substitutions?.directories ?? [] };
}

/** Kustomizations that no other one names are meant to be built. Of those that only name each other, in a circle, the first is built too. */
function rootsOf(all: ReadonlyMap<string, Kustomization>): readonly Kustomization[] {
  const named = new Map([...all.values()].map((one) => [one.directory, namedBy(one, all)]));
  const ofOthers = new Set([...named.values()].flat());
  const reached = new Set<string>();
  const reach = (root: string): void => {
    for (const left = [root]; left.length > 0; ) {
      const directory = left.pop() as string;
      if (reached.has(directory)) continue;
      reached.add(directory);
      addAll(left, named.get(directory) ?? []);
    }
  };
  const roots = [...all.values()].filter(({ directory }) => !ofOthers.has(directory));
  for (const { directory } of roots) reach(directory);
  for (const one of all.values()) {
    if (reached.has(one.directory)) continue;
    roots.push(one);
    reach(one.directory);
  }
  return roots;
}

/** The directories of other kustomizations that its entries name. */
function namedBy(one: Kustomization, all: ReadonlyMap<string, Kustomization>): readonly string[] {
  return entriesOf(one, 'resources', 'bases', 'components', 'transformers', 'generators').flatMap(({ text }) => {
    const path = resolveIn(one.directory, text);
    return path !== undefined && path !== one.directory && all.has(path) ? [path] : [];
  });
}

/** Whether one of its texts contains `${X}`. */
function hasVariable(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('${');
  return typeof value === 'object' && value !== null && Object.values(value).some(hasVariable);
}

function* findInResource(
  resource: Resource,
  rules: readonly DocumentRule[],
  environments: readonly KnownVariables[] | undefined,
): Iterable<Finding | Warning> {
  const { document, positionAt } = tracked(resource);
  for (const found of findInDocument(document, rules, environments)) {
    if (!('image' in found)) {
      const position = found.line === undefined ? undefined : positionAt(found.line);
      yield position ? { ...found, file: position.file, line: position.line } : found;
      continue;
    }
    const traced: Finding = {
      ...found,
      rule: `kustomize, ${found.rule}`,
      position: positionAt(found.position.line) ?? found.position,
    };
    if (resource.doubt === undefined) yield traced;
    else yield { ...traced, certainty: 'maybe', reason: resource.doubt };
  }
}

/**
 * The resource as a document. Its parts come from different files, which a line number cannot express.
 * Therefore its line numbers are indexes, from 1, that `positionAt` resolves to positions.
 */
function tracked(resource: Resource): {
  readonly document: ScannedDocument;
  readonly positionAt: (line: number) => FilePosition | undefined;
} {
  const positions: FilePosition[] = [];
  const remember = (path: Path, line?: number): number => {
    const source = sourceOf(resource, path);
    if (!source) return 0;
    const position = filePositionOf(source, line);
    return positions.push(position.path === '' ? { ...position, path: formatPath(path) } : position);
  };
  return {
    document: {
      file: sourceOf(resource, [])?.document.file ?? '',
      value: resource.value,
      lineOf: (path) => remember(path),
      lineInText: (path, line) => remember(path, line),
    },
    positionAt: (line) => positions[line - 1],
  };
}
