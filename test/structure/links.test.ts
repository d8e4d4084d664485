// Pages hold no marks of a merge, and links between them lead to existing files and headings.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...['docs', 'src'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

it.each(PAGES)('every link of %s leads somewhere', (page) => {
  const links = [...textOf(join(ROOT, page)).matchAll(/\]\((?!\w+:)([^()\s]+)\)/g)].map(([, link]) => link as string);
  const broken = links.filter((link) => {
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? join(ROOT, page) : resolve(ROOT, dirname(page), path);
    if (!existsSync(target)) return true;
    return anchor !== undefined && !anchorsOf(target).has(anchor);
  });
  expect(broken).toEqual([]);
});

it.each(PAGES)('%s holds no marks of a merge', (page) => {
  expect(readFileSync(join(ROOT, page), 'utf8').match(/^(?:<{7}|>{7}) .*$/gm) ?? []).toEqual([]);
});

/** GitHub's anchors of headings: lower case, no punctuation, `-` for blanks. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = [...textOf(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading as string);
  return new Set(
    headings.map((heading) =>
      heading
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** The page without code blocks, in which nothing is a link or a heading. */
function textOf(file: string): string {
  return readFileSync(file, 'utf8')
    .replace(/^ *```[\s\S]*?^ *```/gm, '')
    .replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]()]/g, ''));
}
