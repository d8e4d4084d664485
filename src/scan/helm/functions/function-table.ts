// The type that each file of functions exports: functions by their names in templates.
import type { TemplateFunction } from '../template/engine.ts';

export type FunctionTable = Readonly<Record<string, TemplateFunction>>;
