// Progress bars: redrawn in place a few times a second, with plain lines above them. Relies on log-update, loaded only on terminals. The cursor stays visible: to restore a
// hidden one, log-update would install signal handlers, which do not run while the thread computes.
import { createLogUpdate } from 'log-update';
import type { Terminal } from '../process/context.ts';
import { drawProgress } from './draw.ts';
import { lineOf, type Reporter } from './lines.ts';
import { createProgress } from './progress.ts';

const DRAW_MS = 100;

export function barReporter(terminal: Terminal): Reporter {
  const progress = createProgress();
  const draw = createLogUpdate(terminal.stream, { showCursor: true });
  let drawing: NodeJS.Timeout | undefined;
  const redraw = () => draw(drawProgress(progress.snapshot(performance.now()), terminal));
  const note = (line: string) => {
    draw.clear();
    terminal.write(`${line}\n`);
    if (drawing) redraw();
  };
  return {
    onEvent: (event) => {
      progress.apply(event, performance.now());
      if (event.type === 'compressing' || (event.type === 'plan' && event.blobs > 0))
        drawing ??= setInterval(redraw, DRAW_MS).unref();
      const line = lineOf(event);
      if (line !== undefined) note(line);
    },
    note,
    finish: () => {
      clearInterval(drawing);
      drawing = undefined;
      draw.clear();
      draw.done();
    },
  };
}
