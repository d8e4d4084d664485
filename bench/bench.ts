// `npm run bench [-- --rounds=N] [--only=copy,present,scan,memory]`: the figures, as ratios within one run on one machine. What is compared is
// measured in turns, round by round; the medians count. Needs Debian's docker-registry, skopeo, curl and jq; with docker.io as root, the old way asks a
// real dockerd for the registry's address, as the script did.
import { cpus, release } from 'node:os';
import { needs } from '../test/peers/find.ts';
import { copyFigures } from './copy.ts';
import { memoryFigures } from './memory.ts';
import { presentFigures } from './present.ts';
import { type Figure, table } from './report.ts';
import { scanFigures } from './scan.ts';

const GROUPS: Readonly<Record<string, (rounds: number) => Promise<readonly Figure[]>>> = {
  copy: copyFigures,
  present: presentFigures,
  scan: scanFigures,
  memory: memoryFigures,
};

const option = (name: string) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const rounds = Number(option('rounds') ?? 5);
const groups = (option('only') ?? Object.keys(GROUPS).join()).split(',');
const lacking = needs('docker-registry', 'skopeo', 'curl', 'jq');

if (lacking.missing || groups.some((group) => !(group in GROUPS)) || !(rounds >= 1)) {
  console.error(`usage: npm run bench -- [--rounds=N] [--only=${Object.keys(GROUPS).join()}]${lacking.why}`);
  process.exitCode = 2;
} else {
  const figures: Figure[] = [];
  for (const group of groups) {
    console.error(`bench: ${group}`);
    figures.push(...((await GROUPS[group]?.(rounds)) ?? []));
  }
  const processors = cpus();
  console.log(
    `${new Date().toISOString().slice(0, 10)}, ${processors.length} × ${processors[0]?.model.trim()}, Linux ${release()}, Node ${process.version}, ${rounds} rounds\n`,
  );
  console.log(table(figures));
}
