// What the process tells of itself, under the names that Prometheus' own client libraries use. Pure: who asks for it brings the figures.
import { type MetricFamily, metricOf } from './exposition.ts';

/** Sizes in bytes, times in seconds. What a system does not tell is absent. */
export interface ProcessFigures {
  /** The version of Node. */
  readonly node: string;
  readonly cpuUser: number;
  readonly cpuSystem: number;
  readonly residentMemory: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  /** Buffers outside of the heap. */
  readonly external: number;
  readonly startedAt: Date;
  /** How late the event loop came to what was due at once. */
  readonly eventLoopLag: number;
  /** In which the event loop had something to do, since the process started. */
  readonly eventLoopActive: number;
  readonly openFiles?: number;
  readonly mostOpenFiles?: number;
}

export function processFamilies(figures: ProcessFigures): readonly MetricFamily[] {
  const { cpuUser, cpuSystem } = figures;
  return [
    metricOf('process_cpu_seconds_total', 'Processor time, user and system.', cpuUser + cpuSystem),
    metricOf('process_resident_memory_bytes', 'Memory that the process has.', figures.residentMemory),
    metricOf('process_start_time_seconds', 'When the process started.', figures.startedAt.getTime() / 1000),
    metricOf('process_open_fds', 'Open files and sockets.', figures.openFiles),
    metricOf('process_max_fds', 'How many files and sockets may be open.', figures.mostOpenFiles),
    metricOf('nodejs_heap_size_used_bytes', 'The heap that is in use.', figures.heapUsed),
    metricOf('nodejs_heap_size_total_bytes', 'The heap.', figures.heapTotal),
    metricOf('nodejs_external_memory_bytes', 'Buffers outside of the heap.', figures.external),
    metricOf('nodejs_eventloop_lag_seconds', 'How late the event loop was when it was asked.', figures.eventLoopLag),
    metricOf(
      'nodejs_eventloop_active_seconds_total',
      'Time in which the event loop was busy.',
      figures.eventLoopActive,
    ),
  ];
}
