// What every task is given of the world: the environment as data, and where notes for people go.
import type { Transport, TransportOptions } from '../transports/transport.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
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
  readonly signal?: AbortSignal;
  /** Runs what computes for long without hearing the signal, and leaves nothing behind where it is ended. */
  readonly whileComputing?: <T>(run: () => Promise<T>) => Promise<T>;
  /** One line for people: something was left out or assumed. */
  readonly onNote?: (text: string) => void;
}

/** What transports are given, from the settings. */
export function transportOptions(settings: Pick<Settings, 'signal' | 'temporaryDirectory'>): TransportOptions {
  return { ...callOptions(settings), temporaryDirectory: settings.temporaryDirectory };
}

/** A call's options, from the settings. */
export function callOptions(settings: Pick<Settings, 'signal'>): { readonly signal?: AbortSignal } {
  return settings.signal ? { signal: settings.signal } : {};
}
