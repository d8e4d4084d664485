// What is public of server/: `/v2/` over any Registry, on addresses of one's own or in an HTTP server of one's own.
export { formatListenAddress, type ListenAddress, parseListenAddress } from './address.ts';
export type { OnServerEvent, ServerEvent } from './events.ts';
export type { HealthChecks } from './health.ts';
export type { ServerLimits } from './limits.ts';
export { type RunningServer, type ServeOptions, serve } from './listen.ts';
