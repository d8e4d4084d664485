// What each file of functions exports: names in templates → what they do.
import type { TemplateFunction } from '../template/engine.ts';

export type FunctionTable = Readonly<Record<string, TemplateFunction>>;
