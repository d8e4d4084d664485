// How a registry is served: what an operator says on the command line comes before what its configuration says.
import { parseAge } from '../../io/text/age.ts';
import { type ListenAddress, parseListenAddress } from '../../server/address.ts';
import { addressesWith, checkNames, type InheritedSocket } from './listen-addresses.ts';
import { checkLogOptions } from './log-config.ts';
import { checkProxyOptions } from './proxy-config.ts';
import type { RegistryConfig } from './registry-config.ts';
import { checkTlsOptions, type TlsOptions, withTls } from './served-tls.ts';
import { accessSettings } from './serving-access.ts';
import type { ServingOptions } from './serving-options.ts';

export interface ServedOptions {
  readonly listen: readonly ListenAddress[];
  readonly tls: TlsOptions;
}

/** Errors: USAGE (of the command line: what is wrong in a configuration is told when it is read). */
export function servedOptions(
  options: ServingOptions & { readonly sockets?: readonly InheritedSocket[] },
  config: RegistryConfig,
): ServedOptions {
  const tls = tlsSettings(options, config.tls);
  checkTlsOptions(tls);
  const listen = options.listen?.length ? options.listen : (config.listen ?? []);
  return { listen: withTls(addressesWith(options.sockets, listen), tls), tls };
}

/** What is wrong with the command line alone, before anything is read or made. Errors: USAGE. */
export function checkServingOptions(options: ServingOptions): void {
  for (const address of options.listen ?? []) parseListenAddress(address);
  checkNames(options.names);
  accessSettings(options, {});
  checkProxyOptions(options);
  if (options.drain !== undefined) parseAge(options.drain, '--drain');
  checkLogOptions(options);
}

const NO_NAMES: readonly string[] = [];

/** The same list as long as nothing changes. */
export function servedNames(options: ServingOptions, config: RegistryConfig): readonly string[] {
  return options.names?.length ? options.names : (config.names ?? NO_NAMES);
}

/** Who says which certificates there are replaces all that the configuration says of them. */
export function tlsSettings(
  { tls, tlsCertificate, tlsKey, tlsNames }: TlsOptions,
  config: TlsOptions = {},
): TlsOptions {
  const isSaid = tls !== undefined || tlsCertificate !== undefined || tlsKey !== undefined;
  const names = tlsNames?.length ? tlsNames : isSaid && config.tls !== tls ? undefined : config.tlsNames;
  const said = {
    ...(tls !== undefined && { tls }),
    ...(tlsCertificate !== undefined && { tlsCertificate }),
    ...(tlsKey !== undefined && { tlsKey }),
  };
  const { tlsNames: _, ...configured } = config;
  return { ...(isSaid ? said : configured), ...(names && { tlsNames: names }) };
}

/** In milliseconds: how long requests that are under way may take when the registry is told to stop; absent if nobody says it. */
export function drainTime({ drain }: ServingOptions, config: RegistryConfig): number | undefined {
  return drain === undefined ? config.drain : parseAge(drain, '--drain');
}
