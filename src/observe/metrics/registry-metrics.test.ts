import { describe, expect, it } from 'vitest';
import type { Observation } from '../observation.ts';
import { type RegistryFigures, registryMetrics } from './registry-metrics.ts';

const NOW: RegistryFigures = {
  version: '1.2.3',
  load: { connections: 2, mostConnections: 10, requests: 1, uploads: 3, mostUploads: 9 },
  store: {},
  health: [
    ['pulls', true],
    ['quota', false],
  ],
  process: {
    node: 'v26.0.0',
    cpuUser: 1,
    cpuSystem: 2,
    residentMemory: 3,
    heapUsed: 4,
    heapTotal: 5,
    external: 6,
    startedAt: new Date(7000),
    eventLoopLag: 0.5,
    eventLoopActive: 8,
  },
};

const COLLECTION = { tags: [], retentionWaits: false, recent: { blobs: 0, bytes: 0 }, isMore: false };
const FAULT = { kind: 'damaged-blob', where: 'x' } as never;

function request(kind: 'blob-get' | 'other', status: number): Observation {
  const who = { id: '1', remote: '::1', method: 'GET', url: '/v2/secret/blobs/x?token=secret' };
  return { type: 'request', kind, status, sent: 10, received: 1, duration: 30, repository: 'secret', ...who };
}

/** The lines, without help, types and buckets. */
function linesOf(metrics: ReturnType<typeof registryMetrics>, figures: RegistryFigures = NOW): readonly string[] {
  return metrics
    .text(figures)
    .split('\n')
    .filter((line) => !/^#|_bucket/.test(line));
}

describe('the metrics of a registry', () => {
  it('count requests by kind and status, and name nothing that a client chose', () => {
    const metrics = registryMetrics(() => false);
    for (const one of [
      request('blob-get', 200),
      request('blob-get', 200),
      request('blob-get', 404),
      request('other', 400),
    ])
      metrics.count(one);
    expect(linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'images_build_info{version="1.2.3",node="v26.0.0"} 1',
        'images_http_requests_total{kind="blob-get",code="200"} 2',
        'images_http_requests_total{kind="blob-get",code="404"} 1',
        'images_http_requests_total{kind="other",code="400"} 1',
        'images_http_request_duration_seconds_sum{kind="blob-get"} 0.09',
        'images_http_sent_bytes_total{kind="blob-get"} 30',
        'images_http_received_bytes_total{kind="other"} 1',
        'images_http_connections_limit 10',
        'images_uploads_unfinished 3',
        'images_health_ok{check="quota"} 0',
        'process_cpu_seconds_total 3',
        'process_start_time_seconds 7',
      ]),
    );
    const text = metrics.text(NOW);
    expect(text).toContain('images_http_request_duration_seconds_bucket{kind="blob-get",le="0.025"} 0\n');
    expect(text).toContain('images_http_request_duration_seconds_bucket{kind="blob-get",le="0.05"} 3\n');
    expect(text).not.toContain('secret');
    expect(text).not.toContain('images_storage');
  });

  it('count what the registry does by itself, and take over what others did', () => {
    const metrics = registryMetrics(() => false);
    metrics.count({
      type: 'collected',
      duration: 1500,
      collection: { ...COLLECTION, manifests: [], blobs: 3, bytes: 500 },
    });
    metrics.count({ type: 'damaged', digest: `sha256:${'0'.repeat(64)}` });
    metrics.count({ type: 'fetching', digest: `sha256:${'0'.repeat(64)}`, from: 'x' });
    metrics.count({ type: 'mended', fault: FAULT });
    metrics.count({ type: 'housekeeping-failed', error: new Error('x') });
    const done = { blobs: 1, bytes: 1, news: [], findings: [FAULT], incomplete: ['a:1', 'b:1'], mended: 4 };
    metrics.count({ type: 'scrubbed', ...done });
    const said = linesOf(metrics);
    expect(said).toEqual(
      expect.arrayContaining([
        'images_gc_last_duration_seconds 1.5',
        'images_gc_freed_bytes_total 500',
        'images_gc_deleted_blobs_total 3',
        'images_scrub_findings 1',
        'images_scrub_incomplete_images 2',
        'images_scrub_mended_total 4',
        'images_scrub_damaged_blobs_total 1',
        'images_housekeeping_failures_total 1',
      ]),
    );
    metrics.remember({ collected: new Date(1000), check: { at: new Date(1000), findings: 9, incomplete: 9 } });
    expect(linesOf(metrics)).toEqual(said);
    const later = new Date(Date.now() + 60_000);
    metrics.remember({ collected: later, check: { at: later, duration: 2000, findings: 0, incomplete: 0 } });
    const lines = linesOf(metrics);
    expect(lines).toContain(`images_gc_last_run_timestamp_seconds ${later.getTime() / 1000}`);
    expect(lines).toEqual(expect.arrayContaining(['images_scrub_last_duration_seconds 2', 'images_scrub_findings 0']));
    expect(lines.some((line) => line.startsWith('images_gc_last_duration'))).toBe(false);
  });

  it('name only hosts that the rules of the proxy name, and so many of them', () => {
    const metrics = registryMetrics((host) => /^(?:docker\.io|named-\d+)$/.test(host));
    const from = { repository: 'x' };
    metrics.proxy.asked('docker.io');
    metrics.proxy.asked('evil.example');
    metrics.proxy.served(true);
    metrics.proxy.served(false);
    metrics.count({ type: 'proxy-failed', host: 'evil.example', ...from, error: new Error('x') });
    metrics.count({
      type: 'proxy-fetched',
      host: 'docker.io',
      ...from,
      digest: `sha256:${'0'.repeat(64)}`,
      bytes: 7,
      duration: 1,
    });
    expect(linesOf(metrics)).toEqual(
      expect.arrayContaining([
        'images_proxy_blob_requests_total{result="hit"} 1',
        'images_proxy_upstream_requests_total{host="docker.io"} 1',
        'images_proxy_upstream_requests_total{host="other"} 1',
        'images_proxy_upstream_failures_total{host="other"} 1',
        'images_proxy_upstream_received_bytes_total{host="docker.io"} 7',
      ]),
    );
    for (let at = 0; at < 1000; at++) metrics.proxy.asked(`named-${at}`);
    const hosts = linesOf(metrics).filter((line) => line.startsWith('images_proxy_upstream_requests_total'));
    expect(hosts.length).toBeLessThanOrEqual(101);
  });

  it('tell of the store, the cache and the certificate what is known', () => {
    const metrics = registryMetrics(() => false);
    metrics.count({ type: 'notice', level: 'warn', text: 'x' });
    metrics.count({ type: 'notice', level: 'info', text: 'x' });
    metrics.count({ type: 'reloaded', file: '/x' });
    metrics.count({ type: 'failure', method: 'GET', url: '/', error: new Error('x') });
    metrics.count({ type: 'stopping' });
    const sample = { at: new Date(5000), blobs: 2, bytes: 20 };
    const store = { used: 30, quota: 40, sample, damaged: 1, size: 100, available: 50 };
    const cache = { hits: 3, misses: 1, bytes: 9 };
    const lines = linesOf(metrics, { ...NOW, store, cache, certificateExpires: new Date(9000) });
    expect(lines).toEqual(
      expect.arrayContaining([
        'images_warnings_total 1',
        'images_config_reloads_total 1',
        'images_server_failures_total 1',
        'images_storage_used_bytes 30',
        'images_storage_quota_bytes 40',
        'images_storage_blobs 2',
        'images_storage_counted_timestamp_seconds 5',
        'images_storage_damaged_blobs 1',
        'images_storage_filesystem_avail_bytes 50',
        'images_cache_requests_total{result="hit"} 3',
        'images_tls_certificate_expiry_timestamp_seconds 9',
      ]),
    );
  });
});
