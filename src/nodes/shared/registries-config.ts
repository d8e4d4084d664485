// registries.yaml of k3s and rke2 with our mirrors in it. The text is edited, so comments and everything else stay; it is read again, and if that is not what was
// meant, the file stays as it is. Pure.
import { isDeepStrictEqual } from 'node:util';
import { dump, load } from 'js-yaml';
import { isObject, type Json } from '../../oci/decode.ts';
import { type Merged, refused } from './merged.ts';

const ADD = 'add to it what `images node_config` prints for it';

/** Ours come first for each host; hosts and settings of others stay, also their order. */
export function withRegistries(text: string, ours: string): Merged {
  const [theirs, wanted] = [registriesIn(text), registriesIn(ours)];
  if (!theirs || !wanted) return refused('it is not a mapping of YAML');
  const mirrors = sectionOf(theirs, 'mirrors');
  const rewritten = Object.keys(sectionOf(wanted, 'mirrors')).find((host) => settingsOf(mirrors, host).rewrite);
  // A rewrite is for all endpoints of its host.
  if (rewritten !== undefined) return refused(`it rewrites names of ${rewritten}, also for the private registry`);
  const edited = Object.keys(wanted)
    .reduce<readonly string[]>((lines, section) => withSection(lines, section, { theirs, wanted }), text.split('\n'))
    .join('\n');
  const isMeant = isDeepStrictEqual(registriesIn(edited), merged(theirs, wanted));
  return isMeant ? { text: edited } : refused(`it is written in a form that is not edited: ${ADD}`);
}

function merged(theirs: Json, wanted: Json): Json {
  const result: Record<string, unknown> = { ...theirs };
  for (const section of Object.keys(wanted)) {
    const [before, ours] = [sectionOf(theirs, section), sectionOf(wanted, section)];
    const both = Object.keys(ours).filter((name) => name in before && section === 'mirrors');
    result[section] = {
      ...ours,
      ...before,
      ...Object.fromEntries(
        both.map((host) => [
          host,
          { ...settingsOf(before, host), endpoint: [...added(before, ours, host), ...endpointsOf(before, host)] },
        ]),
      ),
    };
  }
  return result;
}

interface Both {
  readonly theirs: Json;
  readonly wanted: Json;
}

function withSection(lines: readonly string[], section: string, { theirs, wanted }: Both): readonly string[] {
  const [before, ours] = [sectionOf(theirs, section), sectionOf(wanted, section)];
  const missing = Object.entries(ours).filter(([name]) => !(name in before));
  const head = lines.findIndex((line) => isKey(line, '', section));
  if (head < 0) {
    const whole = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
    return [...whole, `${section}:`, ...missing.flatMap((entry) => entryLines(entry, '  ')), ''];
  }
  const [indent = '  '] =
    /^ +(?=[^\s#])/.exec(lines.slice(head + 1).find((line) => /^ *[^\s#]/.test(line)) ?? '') ?? [];
  const result = [...lines];
  result.splice(head + 1, 0, ...missing.flatMap((entry) => entryLines(entry, indent)));
  if (section !== 'mirrors') return result;
  for (const host of Object.keys(ours).filter((name) => name in before)) {
    const at = firstEndpoint(result, head, { indent, host });
    const [item = ''] = /^ *- */.exec(result[at] ?? '') ?? [];
    if (item !== '') result.splice(at, 0, ...added(before, ours, host).map((url) => item + JSON.stringify(url)));
  }
  return result;
}

/** The line of a host's first endpoint; -1 if the host is written in another form. */
function firstEndpoint(
  lines: readonly string[],
  head: number,
  { indent, host }: { readonly indent: string; readonly host: string },
): number {
  const at = lines.findIndex((line, nth) => nth > head && isKey(line, indent, host));
  const key = at < 0 ? -1 : lines.findIndex((line, nth) => nth > at && /^ *endpoint: *(?:#.*)?$/.test(line));
  return key < 0 ? -1 : lines.findIndex((line, nth) => nth > key && /^ *[^\s#]/.test(line));
}

/** Whether a line is the key alone, in quotes or not. */
function isKey(line: string, indent: string, key: string): boolean {
  return [key, `"${key}"`, `'${key}'`].some((written) => {
    const start = `${indent}${written}:`;
    return line.startsWith(start) && /^\s*(?:#.*)?$/.test(line.slice(start.length));
  });
}

function entryLines([name, value]: readonly [string, unknown], indent: string): readonly string[] {
  const text = dump({ [name]: value }).trimEnd();
  return text.split('\n').map((line) => indent + line);
}

/** Those of our endpoints that are not there yet. */
function added(before: Json, ours: Json, host: string): readonly unknown[] {
  const there = endpointsOf(before, host);
  return endpointsOf(ours, host).filter((url) => !there.includes(url));
}

function endpointsOf(mirrors: Json, host: string): readonly unknown[] {
  const { endpoint } = settingsOf(mirrors, host);
  return Array.isArray(endpoint) ? endpoint : [];
}

function settingsOf(section: Json, name: string): Json {
  const value = section[name];
  return isObject(value) ? value : {};
}

function sectionOf(config: Json, name: string): Json {
  return settingsOf(config, name);
}

/** What a registries.yaml says; an empty one says nothing. `undefined`: it cannot be read. */
export function registriesIn(text: string): Json | undefined {
  // js-yaml wants at least one document.
  if (text.split('\n').every((line) => /^\s*(?:#|$)/.test(line))) return {};
  try {
    const value = load(text) ?? {};
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
