// What a registry that serves makes of all that it tells: what its caller listens to, and pages for operators.
import { type OnNotice, type OnObservation, tellAll } from '../../observe/observation.ts';
import type { OperatorPages } from '../../server/operator-pages.ts';
import { type ServingMetrics, servingMetrics } from './serving-metrics.ts';

export interface ServingObservers {
  /** All that happens comes together here, whoever tells it. */
  readonly observe: OnObservation;
  readonly onNotice: OnNotice;
  readonly operators: OperatorPages;
  readonly metrics: ServingMetrics;
}

export function servingObservers({ onObservation }: { readonly onObservation?: OnObservation }): ServingObservers {
  const metrics = servingMetrics();
  const observe = tellAll([metrics.count, ...(onObservation ? [onObservation] : [])]);
  return {
    observe,
    onNotice: (text, level = 'info') => observe({ type: 'notice', level, text }),
    operators: { metrics: () => metrics.page(), isOpen: (page) => page === 'metrics' && metrics.isOpen },
    metrics,
  };
}
