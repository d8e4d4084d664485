// What tasks are given: the world as data, what ends the call, and who listens.
import type { BuildEvent } from '../build/request.ts';
import type { CopyEvent } from '../copy/events.ts';
import type { HttpEvent, OnHttpEvent } from '../io/http/http-event.ts';
import type { ClientDecision, RetryEvent } from '../registry/client/settings.ts';
import type { RegistryCall } from '../registry/policies/told.ts';
import type { ServerEvent } from '../server/events.ts';
import type { EmbeddedStoreOptions } from '../storage/embedded-store.ts';
import type { FileCallOptions, Transport } from '../transports/transport.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What there is around a task, whatever it is asked for: the machine and its user. */
export interface World {
  readonly env: Environment;
  /** Absolute; `undefined` for a user without one. */
  readonly home: string | undefined;
  /** The user's number. */
  readonly uid: number;
  /** Where files lie that a task needs for a while. */
  readonly temporaryDirectory: string;
  /** The embedded registry's data directory, where the user named one. */
  readonly data?: string;
  /** Where work is remembered between runs, and what identifies the program that did it: another build remembers nothing of this one's. */
  readonly cache?: { readonly directory: string; readonly program: string };
  /** Places of images beside those of this program, for whatever task is given a name of one. */
  readonly transports?: readonly Transport[];
}

/** How one call of a task ends before its time. */
export interface TaskCall {
  readonly signal?: AbortSignal;
  /** Runs what computes for long without hearing the signal, and leaves nothing behind where it is ended. */
  readonly whileComputing?: <T>(run: () => Promise<T>) => Promise<T>;
}

/** What every task may have to say; what only some say is in their options. */
export interface TaskEvents {
  /** One line for people: something was left out or assumed. */
  readonly onNote?: (text: string) => void;
  /** What was asked of whom, and why: for who looks for a fault. Nothing is gathered where nobody listens. */
  readonly onDebug?: (event: DebugEvent) => void;
}

/** All three, for use cases at the top: what lies below takes what it uses. */
export interface Settings extends World, TaskCall, TaskEvents {}

/** By topic; each event is as the room that it comes from tells it. */
export type DebugEvent =
  | { readonly topic: 'http'; readonly event: HttpEvent }
  | { readonly topic: 'hosts'; readonly event: ClientDecision | ({ readonly type: 'retry' } & RetryEvent) }
  | { readonly topic: 'copy'; readonly event: CopyEvent }
  | { readonly topic: 'build'; readonly event: BuildEvent }
  | { readonly topic: 'store'; readonly event: RegistryCall }
  | { readonly topic: 'serve'; readonly event: ServerEvent };

type EventOf<Topic extends DebugEvent['topic']> = Extract<DebugEvent, { readonly topic: Topic }>['event'];

/** Events of this topic for who looks for a fault, and for the call's own listener. `undefined` where nobody listens. */
export function alsoDebugged<Topic extends DebugEvent['topic']>(
  topic: Topic,
  { onDebug }: TaskEvents,
  onEvent?: (event: EventOf<Topic>) => void,
): ((event: EventOf<Topic>) => void) | undefined {
  if (!onDebug) return onEvent;
  return (event) => {
    // Topic and event belong together, which the checker does not see of a type that is still open.
    onDebug({ topic, event } as DebugEvent);
    onEvent?.(event);
  };
}

/** For what sends HTTP requests: they are told to who looks for a fault. */
export function httpOptions(settings: TaskEvents): { readonly onHttp?: OnHttpEvent } {
  const onHttp = alsoDebugged('http', settings);
  return onHttp ? { onHttp } : {};
}

/** How the embedded store is opened: with its calls told to who looks for a fault. */
export function storeOptions(settings: TaskEvents): EmbeddedStoreOptions {
  const onCall = alsoDebugged('store', settings);
  return onCall ? { onCall } : {};
}

/** What transports are given, from the settings. */
export function transportOptions(settings: TaskCall & Pick<World, 'temporaryDirectory'>): FileCallOptions {
  return { ...callOptions(settings), temporaryDirectory: settings.temporaryDirectory };
}

/** A call's options, from the settings. */
export function callOptions(settings: TaskCall): { readonly signal?: AbortSignal } {
  return settings.signal ? { signal: settings.signal } : {};
}
