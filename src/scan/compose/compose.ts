// The rule for Docker Compose projects and swarm stacks: the images of their services. Relies on projects.ts and services.ts.
import type { FileTree, ListedRule, TreeRule, Warning } from '../contract.ts';
import { asFields, fieldOf } from '../fields.ts';
import { NO_VARIABLES } from '../variables.ts';
import { findInProjects } from './find-in-project.ts';
import type { Open } from './project.ts';
import { createOpen, environmentIn, projectsOf } from './projects.ts';
import { directoryOf, findInServices, isCompose, RULE } from './services.ts';

/** File names such as `compose.yaml`, `docker-compose.prod.yml`, `stack.yml`, `web.compose.yaml`. */
const FILE_NAME = /(?:^|[/._-])(?:compose|stack)(?:[._-][^/]*)?\.ya?ml$/i;
/** The `.env` file. It may set `COMPOSE_FILE`, which names Compose files with other names. */
const ENVIRONMENT = /(?:^|\/)\.env$/;

/** Finds projects by the names of their files and by `.env`, with what they include, extend and override. */
export const composeProjects: TreeRule = {
  name: RULE,
  find: async (tree) => {
    const open = createOpen(tree);
    const files = [...(await composeFilesIn(tree, open))];
    const { projects, named } = await projectsOf(tree, files, open);
    const found = await findInProjects(tree, projects, open);
    const warnings = [...found.warnings, ...(await circlesIn(files, found.claimed, open))];
    return {
      ...found,
      warnings,
      claimed: new Set([...found.claimed, ...files, ...[...named].filter((file) => tree.has(file))]),
    };
  },
  findNamed: async (tree, file) => {
    const open = createOpen(tree);
    const document = await open(file);
    if (!document || !isProject(document)) return undefined;
    // Like `docker compose -f`: COMPOSE_FILE is ignored.
    const directory = directoryOf(file);
    const project = {
      files: [file, ...overridesBeside(tree, file)],
      directory,
      variables: await environmentIn(tree, directory),
    };
    return await findInProjects(tree, [project], open);
  },
};

async function composeFilesIn(tree: FileTree, open: Open): Promise<ReadonlySet<string>> {
  const files = new Set<string>();
  for (const file of tree.files) {
    if (FILE_NAME.test(file)) {
      const document = await open(file);
      if (document && isProject(document)) files.add(file);
    } else if (ENVIRONMENT.test(file)) {
      const [, list = ''] =
        /^[ \t]*(?:export[ \t]+)?COMPOSE_FILE[ \t]*=[ \t]*["']?([^"'\n]*)/m.exec(await tree.read(file)) ?? [];
      const directory = file.slice(0, -'.env'.length);
      for (const path of list.split(/[:;,]/)) if (tree.has(directory + path.trim())) files.add(directory + path.trim());
    }
  }
  return files;
}

/** Warns of files that include each other in a circle and therefore belong to no project. Compose refuses them. */
async function circlesIn(
  files: readonly string[],
  claimed: ReadonlySet<string>,
  open: Open,
): Promise<readonly Warning[]> {
  const warnings: Warning[] = [];
  for (const file of files) {
    const document = claimed.has(file) ? undefined : await open(file);
    if (!Array.isArray(fieldOf(document?.value, 'include'))) continue;
    warnings.push({
      file,
      text: 'includes itself through others, or is included by what does: its images are not found',
    });
  }
  return warnings;
}

function isProject(document: Parameters<typeof isCompose>[0]): boolean {
  const isBare = fieldOf(document.value, 'apiVersion') === undefined && fieldOf(document.value, 'kind') === undefined;
  return isCompose(document) || (isBare && Array.isArray(fieldOf(document.value, 'include')));
}

function overridesBeside(tree: FileTree, file: string): readonly string[] {
  return ['yaml', 'yml']
    .map((end) => file.replace(/\.ya?ml$/i, `.override.${end}`))
    .filter((name) => name !== file && tree.has(name));
}

/** A Compose file with an unusual name: only its own document is read. */
export const composeFile: ListedRule = {
  name: RULE,
  clue: /image/i,
  sample: 'services: {web: {image: nginx:1}}\n',
  matches: (document) => asFields(fieldOf(document.value, 'services')) !== undefined && isCompose(document),
  find: (document) => findInServices([document], { variables: NO_VARIABLES, others: new Map(), profiles: new Set() }),
};
