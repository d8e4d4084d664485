// `/metrics` of a registry that serves: what was counted since it started, and figures of the moment.
import type { TlsContexts } from '../../certificates/contract.ts';
import type { ProcessFigures } from '../../observe/metrics/process-metrics.ts';
import type { ProxyCounts } from '../../observe/metrics/proxy-metrics.ts';
import { registryMetrics } from '../../observe/metrics/registry-metrics.ts';
import type { OnObservation } from '../../observe/observation.ts';
import type { RunningServer } from '../../server/listen.ts';
import type { Reply } from '../../server/reply.ts';
import type { EmbeddedStore } from '../../storage/embedded-store.ts';
import type { SmallFileCounts } from '../../storage/object-store/small-files.ts';
import { storeLooks } from './serving-figures.ts';
import { currentValidity } from './serving-health.ts';
import type { ServingRules } from './serving-rules.ts';

export interface ServingMetrics {
  readonly count: OnObservation;
  readonly proxy: ProxyCounts;
  readonly smallFiles: SmallFileCounts;
  /** Of what figures are told; before that, there are none. */
  attach(sources: MetricsSources): void;
  readonly isOpen: boolean;
  page(): Promise<Reply>;
}

export interface MetricsSources {
  readonly version: string;
  readonly store: EmbeddedStore;
  readonly rules: Pick<ServingRules, 'config' | 'proxy'>;
  readonly server: Pick<RunningServer, 'load' | 'health'>;
  readonly certificates?: Pick<TlsContexts, 'current'> | undefined;
  readonly processFigures?: (() => Promise<ProcessFigures>) | undefined;
}

/** In milliseconds: whoever asks more often gets the same. */
const SAME_MS = 1000;
/** In milliseconds: Prometheus asks for health no more often than that, because it writes to the disk. */
const HEALTH_MS = 60_000;
const HEADERS = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Cache-Control': 'no-store' };

export function servingMetrics(): ServingMetrics {
  let sources: MetricsSources | undefined;
  let figures: ((of: MetricsSources) => Promise<string>) | undefined;
  let answer: Promise<Uint8Array> | undefined;
  const metrics = registryMetrics((host) => sources?.rules.proxy?.names(host) === true);
  const smallFiles = { hits: 0, misses: 0, bytes: 0 };

  function figuresOf({ store, rules, certificates }: MetricsSources): (of: MetricsSources) => Promise<string> {
    const looks = storeLooks(store, () => rules.config.quota);
    const validity = certificates && currentValidity(certificates);
    return async ({ version, server, processFigures }) => {
      const [known, own, health] = await Promise.all([looks.figures(), processFigures?.(), server.health(HEALTH_MS)]);
      metrics.remember(looks.remembered);
      return metrics.text({
        version,
        load: server.load,
        store: known,
        cache: smallFiles,
        health: health.map(({ name, problem }) => [name, problem === undefined] as const),
        ...(own && { process: own }),
        ...(validity && { certificateExpires: validity().expires }),
      });
    };
  }

  async function bytes(): Promise<Uint8Array> {
    const text = sources && figures ? await figures(sources) : '';
    return new TextEncoder().encode(text);
  }

  return {
    count: metrics.count,
    proxy: metrics.proxy,
    smallFiles,
    attach: (given) => {
      sources = given;
      figures = figuresOf(given);
    },
    get isOpen() {
      return sources?.rules.config.openMetrics === true;
    },
    page: async () => {
      answer ??= bytes().finally(() => setTimeout(() => (answer = undefined), SAME_MS).unref());
      return { status: 200, headers: HEADERS, body: await answer };
    },
  };
}
