// Finds the images of projects: the services of their files, of extended files and of included projects. Each project is examined once.
import { addAll } from '../../oci/add-all.ts';
import type { FileTree, Finding, ScannedDocument, TreeFindings, Warning } from '../contract.ts';
import { includedProjects, type Named } from './includes.ts';
import type { Open, Project } from './project.ts';
import { findInServices, othersOf, servicesOf } from './services.ts';

/** Limit for services in files that were already examined and are included again with other variables. Projects that include each other level by level multiply without end. */
const MAX_AGAIN = 200_000;

/** The images of the projects of a tree, with all projects that they include. */
export async function findInProjects(
  tree: FileTree,
  projects: readonly Project[],
  open: Open,
): Promise<TreeFindings & { readonly claimed: Set<string> }> {
  const findings: Finding[] = [];
  const warnings: Warning[] = [];
  const claimed = new Set<string>();
  const included = includedProjects(tree);
  const known = new Set<string>();
  const identityOf = identities();
  let left = MAX_AGAIN;

  /** Examines one project. Returns the projects that it includes. */
  const look = async (project: Project): Promise<readonly Named[]> => {
    const layers: ScannedDocument[] = [];
    for (const file of project.files) {
      const document = await open(file);
      if (document && claimed.has(file)) left -= 1 + Object.keys(servicesOf(document.value)).length;
      claimed.add(file);
      if (document) layers.push(document);
    }
    if (left < 0) return [];
    const others = await othersOf(layers, project.variables, open);
    for (const file of others.documents.keys()) claimed.add(file);
    const around = {
      variables: project.variables,
      others: others.documents,
      profiles: profilesOf(project),
      ...(project.doubt !== undefined && { doubt: project.doubt }),
    };
    addAll(warnings, others.warnings);
    for (const found of findInServices(layers, around)) {
      if ('image' in found) findings.push(found);
      else warnings.push(found);
    }
    return await included(layers, project);
  };

  for (const root of projects) {
    const pending = known.has(identityOf(root)) ? [] : [root];
    known.add(identityOf(root));
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const one of await look(next)) {
        if ('text' in one) warnings.push(one);
        else if (!known.has(identityOf(one))) {
          known.add(identityOf(one));
          pending.push(one);
        }
      }
      if (left >= 0) continue;
      const text = 'what it includes is included too often with other variables: not all of its images are found';
      warnings.push({ file: root.files[0] ?? '', text });
      left = 0;
      break;
    }
  }
  return { findings, warnings, claimed };
}

function profilesOf({ variables }: Project): ReadonlySet<string> {
  const profiles = (variables.get('COMPOSE_PROFILES') ?? '').split(',');
  return new Set(profiles.map((profile) => profile.trim()).filter(Boolean));
}

/** Returns a function that gives each project an identity. Projects with the same identity use the same images. */
function identities(): (project: Project) => string {
  const numbers = new Map<object, number>();
  return ({ files, directory, variables, doubt }) => {
    const number = numbers.get(variables) ?? numbers.size;
    numbers.set(variables, number);
    return JSON.stringify([files, directory, number, doubt]);
  };
}
