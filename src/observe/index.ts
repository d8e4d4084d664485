// What is public of observe/: what a running registry tells its operators.
export type { HousekeepingEvent, OnHousekeeping, RepairEvent, Scrubbed, ScrubEvent } from './housekeeping.ts';
export type { RememberedCheck, RememberedRuns } from './metrics/housekeeping-metrics.ts';
export type { ProcessFigures } from './metrics/process-metrics.ts';
export type { ProxyCounts } from './metrics/proxy-metrics.ts';
export {
  type RegistryFigures,
  type RegistryMetrics,
  registryMetrics,
  type StoreFigures,
} from './metrics/registry-metrics.ts';
export {
  type LifeEvent,
  type Notice,
  type NoticeLevel,
  type Observation,
  type ObservedRequest,
  type OnNotice,
  type OnObservation,
  type ProxiedFrom,
  type ProxyEvent,
  tellAll,
} from './observation.ts';
