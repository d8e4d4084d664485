// All that a running registry tells its operators: one union of plain values, from which logs, metrics and events are made.
import type { Digest } from '../oci/digest.ts';
import type { BoundAddress } from '../server/address.ts';
import type { FailureEvent, RequestEvent } from '../server/events.ts';
import type { HousekeepingEvent } from './housekeeping.ts';

/** Who adds one says for each of log, metrics and events what it is there, or that it is nothing: the compiler asks. */
export type Observation = ObservedRequest | FailureEvent | HousekeepingEvent | ProxyEvent | Notice | LifeEvent;

export interface ObservedRequest extends RequestEvent {
  /** Writes and refusals are to be logged: it is wanted, or users log in. */
  readonly isAudited?: true;
}

export type OnObservation = (observation: Observation) => void;

/** One line for people: what the configuration says now, what is not as it should be. Without control characters, and without secrets. */
export interface Notice {
  readonly type: 'notice';
  readonly level: NoticeLevel;
  readonly text: string;
}

/** `warn`: somebody has to do something about it. */
export type NoticeLevel = 'info' | 'warn';

export type OnNotice = (text: string, level?: NoticeLevel) => void;

/** What a registry fetches that clients asked for and that was not there. */
export type ProxyEvent =
  /** The other registry has begun to send a blob. */
  | (ProxiedFrom & { readonly type: 'proxy-fetching'; readonly digest: Digest; readonly size: number })
  /** The blob is here; `bytes`: what was sent now, without what an earlier attempt had left; `duration` in milliseconds. */
  | (ProxiedFrom & {
      readonly type: 'proxy-fetched';
      readonly digest: Digest;
      readonly bytes: number;
      readonly duration: number;
    })
  /** All of an image is here now. */
  | (ProxiedFrom & { readonly type: 'proxy-stored'; readonly digest: Digest; readonly tags: readonly string[] })
  /** The other registry does not answer, or not as it should: what is here was served, or nothing. */
  | (ProxiedFrom & { readonly type: 'proxy-failed'; readonly error: unknown });

export interface ProxiedFrom {
  /** As it is named in references. A closed set only where the rules of the proxy name all hosts. */
  readonly host: string;
  readonly repository: string;
}

export type LifeEvent =
  /** The registry answers. `open`: what others may do without logging in, in one line. */
  | {
      readonly type: 'serving';
      readonly data: string;
      readonly addresses: readonly BoundAddress[];
      readonly open?: string;
    }
  /** The configuration was read again: `file` is its path. */
  | { readonly type: 'reloaded'; readonly file: string }
  /** It accepts nothing new any more, and ends what is under way. */
  | { readonly type: 'stopping' }
  | { readonly type: 'stopped' };

/** One listener that tells all of these; one that throws ends nothing for the others. */
export function tellAll(listeners: readonly OnObservation[]): OnObservation {
  return (observation) => {
    for (const listen of listeners) {
      try {
        listen(observation);
      } catch {
        // It is told what happens, and cannot change it.
      }
    }
  };
}
