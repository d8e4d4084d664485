// What it costs to tell operators of each request: the same registry with the access log, a scraped page of metrics and somebody who watches, and without, in turns.
import { get } from 'node:http';
import { median, medianRatio } from './measure.ts';
import { fill, newSmallContent } from './registry-content.ts';
import { measured, type Planned, type Sample, unitOf } from './registry-sample.ts';
import { type Server, startOurs } from './registry-servers.ts';
import { atLeast, type Figure, plain } from './report.ts';

/** Of one turn. */
const SECONDS = 0.5;
const TURNS = 4;
const WARMING = 3;
/** It may cost a tenth. */
const TARGET = 0.9;
/** Milliseconds between two scrapes, as Prometheus has it. */
const SCRAPE = 15_000;

export async function observedFigures(rounds: number): Promise<readonly Figure[]> {
  await using quiet = await startOurs();
  await using told = await startOurs({ args: ['--log=json,access'] });
  const content = newSmallContent();
  await fill(quiet, content);
  await fill(told, content);
  const plan: Planned = {
    ...{ kind: 'ask', connections: 8, seconds: SECONDS, method: 'GET' },
    paths: ['/v2/bench/small/manifests/1'],
  };
  const samples: Readonly<Record<Which, Sample[]>> = { quiet: [], told: [] };
  using _operator = operator(told);
  for (let round = 1 - WARMING; round <= rounds; round++) {
    for (let turn = 0; turn < TURNS; turn++) {
      // Each is the first one as often as the other.
      const order = turn % 2 === 0 ? (['quiet', 'told'] as const) : (['told', 'quiet'] as const);
      for (const which of order) {
        const sample = await measured(which === 'quiet' ? quiet : told, plan);
        if (round > 0) samples[which].push(sample);
      }
    }
    const last = (which: Which) => samples[which].at(-1)?.speed.toFixed(0) ?? 'warming';
    console.error(
      `bench: told to nobody ${last('quiet')}; access log, metrics and events ${last('told')}${unitOf(plan)}`,
    );
  }
  const of = (which: Which, value: 'speed' | 'thrift') => samples[which].map((sample) => sample[value]);
  const what = 'GET of a manifest';
  return [
    plain(`${what}: told to nobody`, median(of('quiet', 'speed')), unitOf(plan)),
    plain(`${what}: access log, metrics, events`, median(of('told', 'speed')), unitOf(plan)),
    atLeast(`${what}: with / without`, medianRatio(of('told', 'speed'), of('quiet', 'speed')), TARGET, ' ×'),
    atLeast(
      `${what}: by the server's processor time`,
      medianRatio(of('told', 'thrift'), of('quiet', 'thrift')),
      TARGET,
      ' ×',
    ),
  ];
}

type Which = 'quiet' | 'told';

/** Watches, and scrapes. */
function operator({ port }: Server): Disposable {
  const base = `http://127.0.0.1:${port}`;
  const watching = get(`${base}/images/events`, { agent: false }, (response) => response.resume());
  watching.on('error', () => undefined);
  const timer = setInterval(() => {
    fetch(`${base}/metrics`)
      .then((answer) => answer.text())
      .catch(() => undefined);
  }, SCRAPE);
  return {
    [Symbol.dispose]: () => {
      clearInterval(timer);
      watching.destroy();
    },
  };
}
