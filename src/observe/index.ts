// What is public of observe/: what a running registry tells its operators.
export type { HousekeepingEvent, OnHousekeeping, RepairEvent, Scrubbed, ScrubEvent } from './housekeeping.ts';
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
