// What is public of observe/: what a running registry tells its operators.
export { describedFault, neededBy } from './fault-text.ts';
export { createFeed, type Feed, type FeedOptions, type WatchFeed } from './feed.ts';
export type { HousekeepingEvent, OnHousekeeping, RepairEvent, Scrubbed, ScrubEvent } from './housekeeping.ts';
export { leapLine } from './leap-line.ts';
export { createLog, type LogOptions, type LogSettings } from './log.ts';
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
export {
  LOG_LEVELS,
  type LogLevel,
  type OperatorEvent,
  type OperatorEventName,
  operatorEvents,
  type ProxyFields,
  type RequestFields,
  type TellingFields,
} from './operator-event.ts';
