// What tasks get from their caller: the world as data, the signal that ends the call, and listeners for events.
import type { BuildEvent } from '../build/request.ts';
import type { CopyEvent } from '../copy/events.ts';
import type { HttpEvent, OnHttpEvent } from '../io/http/http-event.ts';
import type { ClientDecision, RetryEvent } from '../registry/client/settings.ts';
import type { RegistryCall } from '../registry/policies/told.ts';
import type { ScanEvent } from '../scan/events.ts';
import type { ServerEvent } from '../server/events.ts';
import type { RegistryStoreOptions } from '../storage/registry-store.ts';
import type { FileCallOptions, Transport } from '../transports/transport.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of a task, independent of the request: the machine and its user. */
export interface World {
  readonly env: Environment;
  /** An absolute path; `undefined` for a user without a home. */
  readonly home: string | undefined;
  /** The user ID. */
  readonly uid: number;
  /** The directory for temporary files. */
  readonly temporaryDirectory: string;
  /** The embedded registry's data directory, if the user named one. */
  readonly data?: string;
  /** The configuration file of the embedded registry, if the user named one. Default: `registry.toml` in the data directory. */
  readonly config?: string;
  /** The cache directory, and the identity of the program's build: entries of another build are not used. Without it nothing is cached. */
  readonly cache?: { readonly directory: string; readonly program: string };
  /** More transports beside the built-in ones, for every task that takes the name of an image. */
  readonly transports?: readonly Transport[];
}

/** How one call of a task can be ended early. */
export interface TaskCall {
  readonly signal?: AbortSignal;
  /** Runs a long computation that cannot observe the signal. It must leave nothing behind when it is killed. */
  readonly whileComputing?: <T>(run: () => Promise<T>) => Promise<T>;
}

/** Events that every task may emit. Events of single tasks are in their options. */
export interface TaskEvents {
  /** One line for people: something was omitted or assumed. */
  readonly onNote?: (text: string) => void;
  /** Debug events: which requests and decisions were made, and why. Without a listener nothing is collected. */
  readonly onDebug?: (event: DebugEvent) => void;
}

/** All three together, for use cases at the top. Functions below them take only the parts that they use. */
export interface Settings extends World, TaskCall, TaskEvents {}

/** By topic. Each event has the type of the room that emits it. */
export type DebugEvent =
  | { readonly topic: 'http'; readonly event: HttpEvent }
  | { readonly topic: 'hosts'; readonly event: ClientDecision | ({ readonly type: 'retry' } & RetryEvent) }
  | { readonly topic: 'copy'; readonly event: CopyEvent }
  | { readonly topic: 'build'; readonly event: BuildEvent | BaseEvent }
  | { readonly topic: 'scan'; readonly event: ScanEvent | ScanChoice }
  | { readonly topic: 'store'; readonly event: RegistryCall }
  | { readonly topic: 'serve'; readonly event: ServerEvent };

/** Where the image of a FROM comes from: `local` (built here, in the store, a Docker daemon, the private registry), its own registry, or what is remembered of it. */
export interface BaseEvent {
  readonly type: 'base';
  readonly name: string;
  readonly from: 'local' | 'remembered' | 'registry';
  /** For `local`: the source that has it. For `remembered` and `registry`: the digest. */
  readonly what: string;
}

/** Whether a directory is scanned, and why. */
export interface ScanChoice {
  readonly type: 'directory';
  readonly directory: string;
  /**
   * `remembered`: nothing has changed since the last scan, whose result is taken. Otherwise the directory is scanned: files are `changed`; it is `unknown`, not
   * scanned before; `unsettled`, a file was changed just now or cannot be read; `not-asked`, there is no cache, or values or rules are given.
   */
  readonly why: 'remembered' | 'changed' | 'unknown' | 'unsettled' | 'not-asked';
}

type EventOf<Topic extends DebugEvent['topic']> = Extract<DebugEvent, { readonly topic: Topic }>['event'];

/** A listener that passes events of this topic on to `onDebug` and to `onEvent`. Returns `undefined` if there is no listener. */
export function alsoDebugged<Topic extends DebugEvent['topic'], Event extends EventOf<Topic> = EventOf<Topic>>(
  topic: Topic,
  { onDebug }: TaskEvents,
  onEvent?: (event: Event) => void,
): ((event: Event) => void) | undefined {
  if (!onDebug) return onEvent;
  return (event) => {
    // Topic and event belong together, but the type checker cannot see this for a type parameter.
    onDebug({ topic, event } as DebugEvent);
    onEvent?.(event);
  };
}

/** Options for HTTP clients: requests become debug events. */
export function httpOptions(settings: TaskEvents): { readonly onHttp?: OnHttpEvent } {
  const onHttp = alsoDebugged('http', settings);
  return onHttp ? { onHttp } : {};
}

/** Options for the embedded store: its calls become debug events. */
export function storeOptions(settings: TaskEvents): RegistryStoreOptions {
  const onCall = alsoDebugged('store', settings);
  return onCall ? { onCall } : {};
}

/** The options of transports, from the settings. */
export function transportOptions(settings: TaskCall & Pick<World, 'temporaryDirectory'>): FileCallOptions {
  return { ...callOptions(settings), temporaryDirectory: settings.temporaryDirectory };
}

/** A call's options, from the settings. */
export function callOptions(settings: TaskCall): { readonly signal?: AbortSignal } {
  return settings.signal ? { signal: settings.signal } : {};
}

const unrepeated = new WeakSet<object>();

/** Settings whose `onNote` drops what it was told before: several steps of a task may find the same. Those of a task within a task are left as they are. */
export function withoutRepeats<T extends TaskEvents>(settings: T): T {
  const { onNote } = settings;
  if (!onNote || unrepeated.has(onNote)) return settings;
  const told = new Set<string>();
  const once = (text: string) => {
    if (told.has(text)) return;
    told.add(text);
    onNote(text);
  };
  unrepeated.add(once);
  return { ...settings, onNote: once };
}
