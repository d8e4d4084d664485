// `npm run bench [-- --rounds=N] [--only=check,collect,copy,present,scan,memory,look,make,mkimage,registry,proxy,space,access,tls,vm] [--write]`: the figures, as ratios within one run on one machine. What is compared is
// measured in turns, round by round; the medians count. Needs Debian's docker-registry, skopeo, curl and jq; with docker.io as root, the old way asks a
// real dockerd for the registry's address, as the script did. --write puts the table into docs/benchmarks.md.
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { needs } from '../test/peers/find.ts';
import { setup as endWithTheRun } from '../test/testing/end-with-the-run.ts';
import { checkFigures } from './check.ts';
import { collectFigures } from './collect.ts';
import { copyFigures } from './copy.ts';
import { lookFigures } from './look.ts';
import { makeFigures } from './make.ts';
import { memoryFigures } from './memory.ts';
import { mkimageFigures } from './mkimage.ts';
import { presentFigures } from './present.ts';
import { proxyFigures } from './proxy.ts';
import { registryFigures } from './registry.ts';
import { accessFigures } from './registry-access.ts';
import { observedFigures } from './registry-observed.ts';
import { tlsFigures } from './registry-tls.ts';
import { type Figure, table } from './report.ts';
import { scanFigures } from './scan.ts';
import { spaceFigures } from './space.ts';
import { vmFigures } from './vm.ts';

const MARK = '<!-- Below: npm run bench -- --write -->';

const GROUPS: Readonly<Record<string, (rounds: number) => Promise<readonly Figure[]>>> = {
  check: checkFigures,
  collect: collectFigures,
  copy: copyFigures,
  present: presentFigures,
  scan: scanFigures,
  memory: memoryFigures,
  look: lookFigures,
  make: makeFigures,
  mkimage: mkimageFigures,
  registry: registryFigures,
  proxy: proxyFigures,
  access: accessFigures,
  observed: observedFigures,
  tls: tlsFigures,
  space: spaceFigures,
  vm: vmFigures,
};

const option = (name: string) => process.argv.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
const rounds = Number(option('rounds') ?? 5);
const groups = (option('only') ?? Object.keys(GROUPS).join()).split(',');
const lacking = needs('docker-registry', 'skopeo', 'curl', 'jq');

if (lacking.missing || groups.some((group) => !(group in GROUPS)) || !(rounds >= 1)) {
  console.error(`usage: npm run bench -- [--rounds=N] [--only=${Object.keys(GROUPS).join()}] [--write]${lacking.why}`);
  process.exitCode = 2;
} else {
  endWithTheRun();
  const figures: Figure[] = [];
  for (const group of groups) {
    console.error(`bench: ${group}`);
    figures.push(...((await GROUPS[group]?.(rounds)) ?? []));
  }
  const report = `${machine()}\n\n${table(figures)}`;
  console.log(report);
  if (process.argv.includes('--write')) await writeReport(report);
}

/** With the load: on a machine that does other things as well, times say little and ratios less than they should. */
function machine(): string {
  const [processor] = cpus();
  const what = [`${cpus().length} × ${processor?.model.trim()}`, `Linux ${release()}`, `Node ${process.version}`];
  const load = `load ${loadavg()[2]?.toFixed(1)} (15 minutes)`;
  return [new Date().toISOString().slice(0, 10), ...what, `${rounds} rounds`, load].join(', ');
}

async function writeReport(report: string): Promise<void> {
  const page = join(import.meta.dirname, '../docs/benchmarks.md');
  const [before] = (await readFile(page, 'utf8')).split(MARK);
  await writeFile(page, `${before}${MARK}\n${report}\n`);
}
