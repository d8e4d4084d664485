// The picture of the rooms in docs/architecture.md: Mermaid text, made from the imports that there are.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Rooms with wings are drawn with them. */
const WITH_WINGS = ['io', 'tasks', 'cli'];

/** `src` is the folder of the rooms. Arrows point to what is imported; what a longer way says already has none. */
export function roomsPicture(src: string): string {
  const rooms = graphOf(src, (file) => file.split('/')[0] as string);
  const inside = WITH_WINGS.map((room) => [room, graphOf(join(src, room), wingOf)] as const);
  return [
    '```mermaid',
    'flowchart TD',
    ...arrows(rooms, ''),
    ...inside.flatMap(([room, wings]) => [
      `  subgraph ${room}_ [inside ${room}/]`,
      ...arrows(wings, `${room}_`).map((line) => `  ${line}`),
      '  end',
    ]),
    '```',
  ].join('\n');
}

function wingOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] as string) : file.replace(/\.ts$/, '');
}

function graphOf(top: string, nodeOf: (file: string) => string): Graph {
  const graph = new Map<string, Set<string>>();
  for (const file of readdirSync(top, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!file.endsWith('.ts') || /\.(?:test|d)\.ts$|(?:^|\/)testing\/|^index\.ts$/.test(file)) continue;
    const from = nodeOf(file);
    const targets = graph.get(from) ?? new Set();
    graph.set(from, targets);
    for (const [, name] of readFileSync(join(top, file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)) {
      const target = relative(top, resolve(top, dirname(file), name as string));
      if (!target.startsWith('..') && nodeOf(target) !== from) targets.add(nodeOf(target));
    }
  }
  return graph;
}

function arrows(graph: Graph, prefix: string): readonly string[] {
  return [...graph].flatMap(([from, targets]) => {
    const direct = [...targets].filter((to) => ![...targets].some((by) => by !== to && reaches(graph, by, to)));
    const node = (name: string) => `${prefix}${name.replaceAll('-', '_')}[${name}]`;
    return direct.length === 0
      ? [`  ${node(from)}`]
      : [`  ${node(from)} --> ${direct.toSorted().map(node).join(' & ')}`];
  });
}

function reaches(graph: Graph, from: string, to: string, seen = new Set<string>()): boolean {
  if (from === to) return true;
  if (seen.has(from)) return false;
  seen.add(from);
  return [...(graph.get(from) ?? [])].some((next) => reaches(graph, next, to, seen));
}
