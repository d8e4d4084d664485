// All that `/metrics` says of a registry: what was counted since it started, and figures of the moment.
import type { Observation } from '../observation.ts';
import { expositionText, type MetricFamily, metricBy, metricOf } from './exposition.ts';
import { housekeepingMetrics, type RememberedRuns } from './housekeeping-metrics.ts';
import { type ProcessFigures, processFamilies } from './process-metrics.ts';
import { type ProxyCounts, proxyMetrics } from './proxy-metrics.ts';
import { requestMetrics } from './request-metrics.ts';

export interface RegistryMetrics {
  /** Counts what happens: a few additions, and never a wait. */
  count(observation: Observation): void;
  readonly proxy: ProxyCounts;
  /** What the store remembers of collections and checks. */
  remember(last: RememberedRuns): void;
  /** In the text format of Prometheus. */
  text(now: RegistryFigures): string;
}

/** What is so at this moment. What is not known is absent. */
export interface RegistryFigures {
  readonly version: string;
  readonly load: {
    readonly connections: number;
    readonly mostConnections: number;
    readonly requests: number;
    readonly uploads: number;
    readonly mostUploads: number;
  };
  readonly store: StoreFigures;
  readonly cache?: { readonly hits: number; readonly misses: number; readonly bytes: number };
  /** By the names of the checks: whether each is well. */
  readonly health: readonly (readonly [string, boolean])[];
  readonly certificateExpires?: Date;
  readonly process?: ProcessFigures;
}

/** Sizes in bytes. */
export interface StoreFigures {
  /** What counts for the quota, as it was last counted, with what was added since. */
  readonly used?: number;
  readonly quota?: number;
  /** As the registry counts once a day. */
  readonly sample?: { readonly at: Date; readonly blobs: number; readonly bytes: number };
  readonly damaged?: number;
  /** Of the file system. */
  readonly size?: number;
  readonly available?: number;
}

/** `isNamed`: whether the rules of the proxy name this very host. */
export function registryMetrics(isNamed: (host: string) => boolean): RegistryMetrics {
  const requests = requestMetrics();
  const proxy = proxyMetrics(isNamed);
  const housekeeping = housekeepingMetrics();
  const life = { failures: 0, warnings: 0, reloads: 0 };
  let reloadedAt: Date | undefined;

  function count(observation: Observation): void {
    switch (observation.type) {
      case 'request':
        requests.count(observation);
        return;
      case 'failure':
        life.failures += 1;
        return;
      case 'collected': {
        const { collection, duration } = observation;
        const { manifests, blobs, bytes } = collection;
        housekeeping.collected({ at: new Date(), duration, manifests: manifests.length, blobs, bytes });
        return;
      }
      case 'scrubbed': {
        const { findings, incomplete, mended } = observation;
        housekeeping.checked({ at: new Date(), findings: findings.length, incomplete: incomplete.length, mended });
        return;
      }
      case 'damaged':
        housekeeping.damaged();
        return;
      case 'housekeeping-failed':
        housekeeping.failed();
        return;
      case 'proxy-fetched':
        proxy.received(observation.host, observation.bytes);
        return;
      case 'proxy-failed':
        proxy.failed(observation.host);
        return;
      case 'notice':
        if (observation.level === 'warn') life.warnings += 1;
        return;
      case 'reloaded':
        life.reloads += 1;
        reloadedAt = new Date();
        return;
      // No metrics: what is counted of them is counted where they end.
      case 'fetching':
      case 'mended':
      case 'proxy-fetching':
      case 'proxy-stored':
      case 'serving':
      case 'stopping':
      case 'stopped':
        return;
      default:
        observation satisfies never;
    }
  }

  return {
    count,
    proxy,
    remember: housekeeping.remember,
    text: (now) =>
      expositionText([
        buildInfo(now),
        ...requests.families(),
        ...loadFamilies(now),
        metricOf('images_server_failures_total', 'Problems of the server itself: see the log.', life.failures),
        metricOf('images_warnings_total', 'Warnings in the log.', life.warnings),
        metricOf('images_config_reloads_total', 'How often the configuration was read again.', life.reloads),
        metricOf(
          'images_config_last_reload_timestamp_seconds',
          'When it last was.',
          reloadedAt && reloadedAt.getTime() / 1000,
        ),
        ...storeFamilies(now.store),
        ...cacheFamilies(now.cache),
        ...housekeeping.families(),
        ...proxy.families(),
        metricBy('images_health_ok', 'Whether each check of /readyz found all well (1).', {
          label: 'check',
          values: now.health.map(([name, isWell]) => [name, isWell ? 1 : 0] as const),
        }),
        metricOf(
          'images_tls_certificate_expiry_timestamp_seconds',
          'When the certificate expires that clients without a name get.',
          now.certificateExpires && now.certificateExpires.getTime() / 1000,
        ),
        ...(now.process ? processFamilies(now.process) : []),
      ]),
  };
}

function buildInfo({ version, process: own }: RegistryFigures): MetricFamily {
  return {
    name: 'images_build_info',
    type: 'gauge',
    help: 'Which version runs, and on which Node.',
    samples: [{ labels: { version, ...(own && { node: own.node }) }, value: 1 }],
  };
}

function loadFamilies({ load }: RegistryFigures): readonly MetricFamily[] {
  return [
    metricOf('images_http_connections', 'Connections that are open.', load.connections),
    metricOf('images_http_connections_limit', 'How many may be open.', load.mostConnections),
    metricOf('images_http_requests_active', 'Requests that are being answered.', load.requests),
    metricOf('images_uploads_unfinished', 'Uploads that clients have begun and not ended.', load.uploads),
    metricOf('images_uploads_unfinished_limit', 'How many there may be.', load.mostUploads),
  ];
}

function storeFamilies({ used, quota, sample, damaged, size, available }: StoreFigures): readonly MetricFamily[] {
  const sampledAt = sample && sample.at.getTime() / 1000;
  return [
    metricOf('images_storage_used_bytes', 'What counts for the quota: blobs and unfinished uploads.', used),
    metricOf('images_storage_quota_bytes', 'The quota.', quota),
    metricOf('images_storage_blobs', 'Blobs and manifests when they were last counted.', sample?.blobs),
    metricOf('images_storage_bytes', 'Their size, then.', sample?.bytes),
    metricOf('images_storage_counted_timestamp_seconds', 'When they were last counted: once a day.', sampledAt),
    metricOf('images_storage_damaged_blobs', 'Blobs that are known to be damaged: they are not served.', damaged),
    metricOf('images_storage_filesystem_size_bytes', 'The size of the file system of the store.', size),
    metricOf('images_storage_filesystem_avail_bytes', 'What is free there for this user.', available),
  ];
}

function cacheFamilies(cache: RegistryFigures['cache']): readonly MetricFamily[] {
  return [
    metricBy('images_cache_requests_total', 'Small files that were read: from memory (hit), or from the disk (miss).', {
      label: 'result',
      values: cache ? [['hit', cache.hits] as const, ['miss', cache.misses] as const] : [],
    }),
    metricOf('images_cache_bytes', 'What small files take in memory.', cache?.bytes),
  ];
}
