// What an operator says on the command line of `serve` and `lreg_start`, and how a new process is called with it.
import { resolve } from 'node:path';
import { htpasswdFile } from './access-config.ts';
import { SERVING_OPTIONS, type ServingField, type ServingOption } from './config-keys.ts';
import type { LogChoice } from './log-config.ts';
import type { ProxyOptions } from './proxy-config.ts';
import type { CollectionSchedule, ScrubSchedule } from './registry-config.ts';
import type { TlsOptions } from './served-tls.ts';
import type { AccessOptions } from './serving-access.ts';

/** What is absent, registry.toml says, or the default holds. */
export interface ServingOptions extends AccessOptions, LogChoice, ProxyOptions, TlsOptions {
  /** `ADDR:PORT`, or `https://ADDR:PORT`; if empty, those of registry.toml, else 127.0.0.1:5000. With TLS, and no address that says https, all of them have HTTPS. */
  readonly listen?: readonly string[];
  /** Host names that the registry's own web pages may use, beside the addresses that it listens on. */
  readonly names?: readonly string[];
  /** How often garbage is collected; default daily. Only stores that this program made, or that were collected once, are collected unasked. */
  readonly gc?: CollectionSchedule;
  /** How often all of the store is checked; default weekly. A store that cannot be written to is not. */
  readonly scrub?: ScrubSchedule;
  /** When it is told to stop: how long requests that are under way may take to end, as an age (`10m`). Default: half a second. */
  readonly drain?: string;
  /** Log each write and each refusal. */
  readonly isAudited?: boolean;
}

/** As arguments of `serve`, in the order of the table; files by their absolute names. */
export function servingArguments(options: ServingOptions): readonly string[] {
  return SERVING_OPTIONS.flatMap((option) => argumentsFor(option, options[option.field]));
}

function argumentsFor({ name, kind }: ServingOption, value: ServingOptions[ServingField]): readonly string[] {
  if (value === undefined || value === false) return [];
  if (value === true) return [`--${name}`];
  if (typeof value !== 'string') {
    const isAlone = kind === 'hosts' && value.length === 0;
    return isAlone ? [`--${name}`] : value.map((text) => `--${name}=${text}`);
  }
  if (kind === 'file') return [`--${name}=${resolve(value)}`];
  const file = kind === 'login' ? htpasswdFile(value) : undefined;
  return [`--${name}=${file === undefined ? value : `htpasswd:${resolve(file)}`}`];
}
