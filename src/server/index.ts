// The public face of server/: `/v2/` over any Registry, on its own addresses or in an HTTP server of the caller.
export {
  type BoundAddress,
  formatListenAddress,
  type ListenAddress,
  listenUrl,
  parseListenAddress,
} from './address.ts';
export type { Fetching } from './call.ts';
export {
  type FailureEvent,
  type OnServerEvent,
  REQUEST_KINDS,
  type RequestEvent,
  type RequestKind,
  type ServerEvent,
} from './events.ts';
export type { HealthChecks, HealthFinding } from './health.ts';
export type { ServerLimits } from './limits.ts';
export { type RunningServer, type ServeOptions, type ServerLoad, serve } from './listen.ts';
export type { OperatorCall, OperatorPage, OperatorPages } from './operator-pages.ts';
export type { Reply, ReplyHeaders } from './reply.ts';
