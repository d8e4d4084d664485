// What is counted of requests, by their kind: a few additions for each, and no memory that grows with them.
import type { MetricFamily } from './exposition.ts';
import { createHistogram, type Histogram } from './histogram.ts';

export interface CountedRequest {
  /** One of a closed set. */
  readonly kind: string;
  readonly status: number;
  /** Bytes of bodies. */
  readonly sent: number;
  readonly received: number;
  /** In milliseconds. */
  readonly duration: number;
}

export interface RequestMetrics {
  count(request: CountedRequest): void;
  families(): readonly MetricFamily[];
}

interface OfKind {
  /** By status. */
  readonly codes: Map<number, number>;
  readonly durations: Histogram;
  sent: number;
  received: number;
}

/** In seconds: from an answer out of memory to a layer over a slow line. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];

export function requestMetrics(): RequestMetrics {
  const kinds = new Map<string, OfKind>();
  const begin = (kind: string): OfKind => {
    const fresh = { codes: new Map<number, number>(), durations: createHistogram(BOUNDS), sent: 0, received: 0 };
    kinds.set(kind, fresh);
    return fresh;
  };
  return {
    count: ({ kind, status, sent, received, duration }) => {
      const counts = kinds.get(kind) ?? begin(kind);
      counts.codes.set(status, (counts.codes.get(status) ?? 0) + 1);
      counts.durations.observe(duration / 1000);
      counts.sent += sent;
      counts.received += received;
    },
    families: () => {
      const all = [...kinds].sort(([a], [b]) => (a < b ? -1 : 1));
      return [
        {
          name: 'images_http_requests_total',
          type: 'counter',
          help: 'Requests that were answered, by kind and status.',
          samples: all.flatMap(([kind, { codes }]) =>
            [...codes].map(([code, value]) => ({ labels: { kind, code: String(code) }, value })),
          ),
        },
        {
          name: 'images_http_request_duration_seconds',
          type: 'histogram',
          help: 'From the head of a request to the last byte of its answer; a transfer takes as long as its client does.',
          samples: all.flatMap(([kind, { durations }]) => durations.samples({ kind })),
        },
        {
          name: 'images_http_sent_bytes_total',
          type: 'counter',
          help: 'Bytes of bodies that were sent, counted at the end of each request.',
          samples: all.map(([kind, { sent }]) => ({ labels: { kind }, value: sent })),
        },
        {
          name: 'images_http_received_bytes_total',
          type: 'counter',
          help: 'Bytes of bodies that were received, counted at the end of each request.',
          samples: all.map(([kind, { received }]) => ({ labels: { kind }, value: received })),
        },
      ];
    },
  };
}
