// CHANGELOG.md at a release: what stands under "Unreleased" becomes the section of a version. Pure.
const UNRELEASED = '## Unreleased';

export interface Released {
  readonly changelog: string;
  /** The text of the new section without its heading, for the message of the tag. */
  readonly notes: string;
}

/** `date` is `YYYY-MM-DD`. An empty section "Unreleased" stays on top. Throws an Error where there is nothing to release, or the version has a section. */
export function releaseSection(changelog: string, version: string, date: string): Released {
  const parts = changelog.split(/^(?=## )/m);
  const at = parts.findIndex((part) => isSection(part, UNRELEASED));
  if (at < 0) throw new Error(`CHANGELOG.md has no "${UNRELEASED}"`);
  if (parts.some((part) => isSection(part, `## ${version}`))) throw new Error(`CHANGELOG.md has ${version} already`);
  const notes = (parts[at] as string).slice(UNRELEASED.length).trim();
  if (notes === '') throw new Error(`CHANGELOG.md says nothing under "${UNRELEASED}"`);
  const section = `${UNRELEASED}\n\n## ${version} (${date})\n${notes}\n`;
  const after = parts.slice(at + 1);
  return {
    changelog: [...parts.slice(0, at), section, ...(after.length > 0 ? ['\n', ...after] : [])].join(''),
    notes,
  };
}

function isSection(part: string, heading: string): boolean {
  const [line = ''] = part.split('\n', 1);
  return line === heading || line.startsWith(`${heading} `);
}
