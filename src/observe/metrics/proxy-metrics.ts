// What is counted of a pull-through: what it found here, and what it asked of which host. Hosts that no rule names are one: who may ask for any host decides no label.
import { type MetricFamily, metricBy } from './exposition.ts';

/** What is counted that is too frequent to be told as an event. */
export interface ProxyCounts {
  /** A blob that a client wanted was here, or had to be fetched. */
  served(isHit: boolean): void;
  asked(host: string): void;
}

export interface ProxyMetrics extends ProxyCounts {
  failed(host: string): void;
  received(host: string, bytes: number): void;
  families(): readonly MetricFamily[];
}

/** Bounds the labels whatever the rules say. */
const MOST_HOSTS = 100;
const OTHER = 'other';

/** `isNamed`: whether the rules name this very host. */
export function proxyMetrics(isNamed: (host: string) => boolean): ProxyMetrics {
  const served = { hit: 0, miss: 0 };
  const [asked, failed, received] = [byHost(isNamed), byHost(isNamed), byHost(isNamed)];
  const ofHosts = (what: string, help: string, counts: typeof asked) =>
    metricBy(`images_proxy_upstream_${what}_total`, help, { label: 'host', values: counts.all() });
  return {
    served: (isHit) => {
      served[isHit ? 'hit' : 'miss'] += 1;
    },
    asked: (host) => asked.add(host, 1),
    failed: (host) => failed.add(host, 1),
    received: (host, bytes) => received.add(host, bytes),
    families: () => [
      metricBy(
        'images_proxy_blob_requests_total',
        'Blobs that clients got while missing ones are fetched: they were here (hit), or came from another registry (miss).',
        { label: 'result', values: Object.entries(served) },
      ),
      ofHosts('requests', 'What was asked of other registries.', asked),
      ofHosts('failures', 'What other registries did not answer, or not as they should.', failed),
      ofHosts(
        'received_bytes',
        'Bytes of blobs that came from other registries, counted at the end of each.',
        received,
      ),
    ],
  };
}

function byHost(isNamed: (host: string) => boolean) {
  const counts = new Map<string, number>();
  return {
    add: (host: string, more: number) => {
      const isOwn = isNamed(host) && (counts.has(host) || counts.size < MOST_HOSTS);
      const label = isOwn ? host : OTHER;
      counts.set(label, (counts.get(label) ?? 0) + more);
    },
    all: () => counts,
  };
}
