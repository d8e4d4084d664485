// What the charts of one scan may cost together: charts that name each other level by level, and archives in archives, multiply from very little.
import type { Warning } from '../contract.ts';
import { RunawayError } from './template/errors.ts';
import type { WorkBudget } from './template/work.ts';

/** In characters that are read or written, as templates count them: a minute or two at most. All charts of a large collection take a twentieth. */
const MAX_WORK = 24_000_000_000;
/** One chart with all that deploy it: others must come in too. The largest known takes a fiftieth to be rendered with one set of values. */
const MAX_CHART = 10_000_000_000;

/** Charts below one chart, by all names that they get: as many are kept. */
const MAX_BELOW = 20_000;

/** What costs more than its characters, in characters. */
export const COST = {
  /** A chart that is read, by each name that it gets. */
  chart: 20_000,
  /** A chart that is rendered. */
  rendering: 50_000,
  /** A file that is named. */
  file: 200,
  /** A byte that comes out of an archive, and a character of a chart's files: they are kept as long as the chart is looked at. */
  kept: 40,
  /** A character of a template that is parsed, or of a manifest that rules look at. */
  text: 20,
} as const;

/** What was begun cannot be ended. Not an error of the template's: the whole chart is left. */
export class ChartTooCostlyError extends Error {}

export interface ChartBudget extends WorkBudget {
  /** Throws ChartTooCostlyError where all is spent. */
  spend(characters: number): void;
  /** For a chart that is read. Throws as the other does. */
  spendChart(): void;
  /** Looks into one chart; `file` is named where it, or what is left, costs too much. Undefined then. */
  forChart<T>(file: string, run: () => Promise<T>): Promise<T | undefined>;
  /** What was left out. */
  warnings(): readonly Warning[];
}

export function createChartBudget(): ChartBudget {
  let total = MAX_WORK;
  let left = MAX_WORK;
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
      if (++below > MAX_BELOW) throw new ChartTooCostlyError('the chart has too many charts below it');
    },
    async forChart(file, run) {
      if (total <= 0) {
        unseen.push(file);
        return undefined;
      }
      const given = Math.min(MAX_CHART, total);
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

/** Whether a template ended for what is left for all, and not for its own doing. */
export function isSpent(error: unknown, budget: ChartBudget): boolean {
  return error instanceof RunawayError && budget.left === 0;
}
