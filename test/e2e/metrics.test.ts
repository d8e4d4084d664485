// `/metrics` of `images serve`, as Prometheus reads it; the examples of alerts and of a dashboard ask for what is there.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, it, onTestFinished } from 'vitest';
import { openEmbeddedStore } from '../../src/storage/embedded-store.ts';
import { putFixture } from '../../src/tasks/testing/hosts-and-store.ts';
import { buildImage, type FixtureImage, randomLayer } from '../fixtures/image.ts';
import { needs } from '../peers/find.ts';
import { must, run, start, stop, until } from '../peers/process.ts';
import { newWorld, ROOT, type World } from '../peers/program.ts';
import { freePort } from '../peers/temporary.ts';
import { startUpstream } from '../peers/upstream.ts';

const EXAMPLES = join(ROOT, 'examples/operating');
const IMAGE = buildImage({ layers: [randomLayer('measured', 50_000)] });
const FETCHED = buildImage({ layers: [randomLayer('fetched', 60_000)] });
const promtool = needs('promtool');
const prometheus = needs('prometheus', 'promtool');

interface BusyRegistry extends AsyncDisposable {
  readonly port: number;
  /** Pulls once more. */
  ask(): Promise<void>;
}

/** A registry that has done all that is measured: a check, pushes and pulls, and a fetch from another one. */
async function busyRegistry(world: World): Promise<BusyRegistry> {
  const upstream = await startUpstream();
  onTestFinished(() => upstream[Symbol.asyncDispose]());
  upstream.addImage('team/fetched:1', FETCHED);
  await world.mirror({ 'up.test': upstream.host });
  const store = await openEmbeddedStore(world.data);
  await putFixture(store.registry, { path: 'library/measured', tag: '1' }, IMAGE);
  await world.must(['lreg_check']);
  await world.must(['lreg_gc']);
  await writeFile(join(world.data, 'registry.toml'), 'quota = "10 GiB"\n');
  const [port, secure] = [await freePort(), await freePort()];
  const listen = [`--listen=127.0.0.1:${port}`, `--listen=https://127.0.0.1:${secure}`];
  const child = world.startImages(['serve', ...listen, '--tls=auto', '--proxy=up.test']);
  child.stderr?.resume();
  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(`${url}/v2/`)).ok);
  const pull = async (path: string, { blobs }: FixtureImage) => {
    await (await fetch(`${url}/v2/${path}/manifests/1?ns=up.test`)).arrayBuffer();
    for (const { digest } of blobs) await (await fetch(`${url}/v2/${path}/blobs/${digest}?ns=up.test`)).arrayBuffer();
  };
  const ask = async () => {
    await pull('library/measured', IMAGE);
    await pull('team/fetched', FETCHED);
  };
  await ask();
  return { port, ask, [Symbol.asyncDispose]: () => stop(child) };
}

it(`metrics are as Prometheus wants them${promtool.why}`, async () => {
  await using world = await newWorld();
  await using registry = await busyRegistry(world);
  const { port } = registry;
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toMatch(/^images_http_requests_total\{kind="blob-get",code="200"\} 4$/m);
  expect(text).toMatch(/^images_proxy_blob_requests_total\{result="miss"\} [12]$/m);
  expect(text).toMatch(/^images_proxy_upstream_requests_total\{host="up\.test"\} [1-9]/m);
  expect(text).toMatch(/^images_build_info\{version="[^"]+",node="v\d[^"]*"\} 1$/m);
  expect(text).toMatch(/^process_open_fds [1-9]/m);
  expect(text).not.toContain('team/fetched');
  if (promtool.missing) return;
  expect(await run('promtool', ['check', 'metrics'], { input: text })).toEqual({ status: 0, stdout: '', stderr: '' });
});

it.skipIf(promtool.missing)(`the examples of alerts are raised by what they are for${promtool.why}`, async () => {
  await must('promtool', ['check', 'rules', join(EXAMPLES, 'alerts.yml')]);
  await must('promtool', ['test', 'rules', join(EXAMPLES, 'alerts.test.yml')]);
});

interface Rule {
  readonly expr: string;
}

interface Panel {
  readonly targets: readonly Rule[];
}

/** What alerts and the dashboard ask for; alerts without what is too much. */
async function expressions(): Promise<readonly string[]> {
  const rules = load(await readFile(join(EXAMPLES, 'alerts.yml'), 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  const dashboard = JSON.parse(await readFile(join(EXAMPLES, 'grafana-dashboard.json'), 'utf8')) as {
    readonly panels: readonly Panel[];
  };
  const alerts = rules.groups.flatMap(({ rules }) =>
    rules.map(({ expr }) => expr.replace(/ (?:==|<|>) [\d.* ]+$/, '')),
  );
  const panels = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  return [...alerts, ...panels].map((expr) => expr.replaceAll('$__rate_interval', '30s').replaceAll('$instance', '.*'));
}

/** Expressions that Prometheus has no result for. */
async function without(port: number, all: readonly string[]): Promise<readonly string[]> {
  const answers = await Promise.all(
    all.map(async (expr) => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`);
      const { data } = (await answer.json()) as { readonly data?: { readonly result: readonly unknown[] } };
      return data?.result.length ? [] : [expr];
    }),
  );
  return answers.flat();
}

it.skipIf(prometheus.missing)(
  `Prometheus scrapes a registry, and has an answer to each expression of alerts and dashboard${prometheus.why}`,
  async () => {
    await using world = await newWorld();
    await using registry = await busyRegistry(world);
    const own = await freePort();
    const config = {
      global: { scrape_interval: '500ms' },
      scrape_configs: [{ job_name: 'images', static_configs: [{ targets: [`127.0.0.1:${registry.port}`] }] }],
    };
    await writeFile(join(world.path, 'prometheus.yml'), JSON.stringify(config));
    const child = start('prometheus', [
      `--config.file=${join(world.path, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(world.path, 'tsdb')}`,
      `--web.listen-address=127.0.0.1:${own}`,
    ]);
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stdout?.resume();
    child.stderr?.resume();
    const all = await expressions();
    expect(all.length).toBeGreaterThan(40);
    let lacking: readonly string[] = all;
    const answersAll = async () => {
      await registry.ask();
      lacking = await without(own, all);
      return lacking.length === 0;
    };
    await until(answersAll).catch(() => undefined);
    await stop(child);
    expect(lacking).toEqual([]);
  },
);
