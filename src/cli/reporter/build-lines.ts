// Shows a build as plain lines on stderr: each step once, and the output of RUN and of the `tar` script as it arrives.
import { StringDecoder } from 'node:string_decoder';
import type { BuildEvent } from '../../build/request.ts';
import { safeLine, safeOutput } from '../process/safe-text.ts';

export interface BuildReporter {
  onEvent(event: BuildEvent): void;
  /** Takes output of the `tar` script. */
  onOutput(chunk: Uint8Array): void;
}

/** A step that takes less time is shown only when it is done, together with whether it was cached. */
const SOON_MS = 150;

export function buildReporter(write: (text: string) => void): BuildReporter {
  const waiting = new Map<number, NodeJS.Timeout>();
  const decoders = new Map<number, StringDecoder>();
  const say = (stage: string, text: string, end = ''): void => write(`=== [${stage}] ${oneLine(text)}${end}\n`);
  const sayNow = (id: number, stage: string, text: string): void => {
    if (!waiting.has(id)) return;
    clearTimeout(waiting.get(id));
    waiting.delete(id);
    say(stage, text);
  };
  const texts = new Map<number, string>();
  return {
    onOutput: (chunk) => write(safeOutput(Buffer.from(chunk).toString())),
    onEvent: (event) => {
      switch (event.type) {
        case 'step': {
          const { id, stage, text } = event;
          texts.set(id, text);
          waiting.set(id, setTimeout(() => sayNow(id, stage, text), SOON_MS).unref());
          break;
        }
        case 'step-done': {
          const { id, stage, text, cached } = event;
          const isSaid = !waiting.has(id);
          clearTimeout(waiting.get(id));
          waiting.delete(id);
          if (!isSaid || cached) say(stage, text, cached ? ' (cached)' : '');
          break;
        }
        case 'output': {
          sayNow(event.id, event.stage, texts.get(event.id) ?? 'RUN');
          const decoder = decoders.get(event.id) ?? new StringDecoder('utf8');
          decoders.set(event.id, decoder);
          write(safeOutput(decoder.write(Buffer.from(event.chunk))));
          break;
        }
        case 'warning':
          write(`WARNING: ${oneLine(event.message)}\n`);
          break;
        default:
      }
    },
  };
}

function oneLine(text: string): string {
  const line = safeLine(text.replaceAll(/\s+/g, ' '));
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
}
