// The budget for all charts of one scan. Charts that include each other level by level, and archives in archives, multiply from very little.
import type { Warning } from '../contract.ts';
import { RunawayError } from './template/errors.ts';
import type { WorkBudget } from './template/work.ts';

/** What charts may cost: where nothing else is said, in characters read or written, as templates count them. */
export interface ChartLimits {
  /** All charts of a scan together. */
  readonly work: number;
  /** One chart with all its releases, so that other charts get their turn. */
  readonly chart: number;
  /** Subcharts of one chart, counted once for each name. All of them are kept in memory. */
  readonly below: number;
  /** One packed chart, in unpacked bytes. */
  readonly unpacked: number;
}

export const CHART_LIMITS: ChartLimits = {
  // Takes a minute or two at most. All charts of a large collection use a twentieth.
  work: 24_000_000_000,
  // The largest known chart uses a fiftieth for one rendering.
  chart: 10_000_000_000,
  below: 20_000,
  // Helm itself refuses more than 100 MiB.
  unpacked: 64 << 20,
};

/** Costs of other operations, in characters. */
export const COST = {
  /** Reading a chart, for each name it gets. */
  chart: 20_000,
  /** Rendering a chart. */
  rendering: 50_000,
  /** Each file name. */
  file: 200,
  /** Each unpacked byte, and each character of a chart's files. They stay in memory while the chart is examined. */
  kept: 40,
  /** Each character of a template that is parsed, or of a manifest that rules examine. */
  text: 20,
} as const;

/** The budget was exceeded. Not a template error: the whole chart is abandoned. */
export class ChartTooCostlyError extends Error {}

export interface ChartBudget extends WorkBudget {
  /** Throws ChartTooCostlyError if the budget is exceeded. */
  spend(characters: number): void;
  /** Called for each chart that is read. Throws ChartTooCostlyError. */
  spendChart(): void;
  /** Examines one chart. If it exceeds its budget, or none is left, returns `undefined` and adds a warning that names `file`. */
  forChart<T>(file: string, run: () => Promise<T>): Promise<T | undefined>;
  /** Warnings for the charts that were left out. */
  warnings(): readonly Warning[];
}

export function createChartBudget(limits = CHART_LIMITS): ChartBudget {
  let total = limits.work;
  let left = limits.work;
  let below = 0;
  const warnings: Warning[] = [];
  const unseen: string[] = [];
  const take = (characters: number): void => {
    left -= characters;
  };
  const spend = (characters: number): void => {
    take(characters);
    if (left < 0) throw new ChartTooCostlyError('what charts may cost is spent');
  };
  return {
    get left() {
      return Math.max(0, left);
    },
    take,
    spend,
    spendChart() {
      spend(COST.chart);
      if (++below > limits.below) throw new ChartTooCostlyError('the chart has too many charts below it');
    },
    async forChart(file, run) {
      if (total <= 0) {
        unseen.push(file);
        return undefined;
      }
      const given = Math.min(limits.chart, total);
      left = given;
      below = 0;
      try {
        return await run();
      } catch (error) {
        if (!(error instanceof ChartTooCostlyError)) throw error;
        warnings.push({ file, text: TOO_COSTLY });
        return undefined;
      } finally {
        total -= given - left;
      }
    },
    warnings: () => [...warnings, ...unseenWarning(unseen)],
  };
}

const TOO_COSTLY =
  'the chart is too much work, with all charts below it and all that deploy it: its images are not found';

function unseenWarning([first, ...more]: readonly string[]): readonly Warning[] {
  if (first === undefined) return [];
  const charts = more.length === 0 ? 'the chart is' : `this and ${more.length} more charts are`;
  return [
    { file: first, text: `${charts} not rendered, as those before were too much work: name what you need alone` },
  ];
}

/** Whether a template was aborted because the shared budget is used up, and not because of its own limit. */
export function isSpent(error: unknown, budget: ChartBudget): boolean {
  return error instanceof RunawayError && budget.left === 0;
}
