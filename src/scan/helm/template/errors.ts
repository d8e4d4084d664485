// What goes wrong with templates by their authors' or their values' doing; bugs of ours are other errors.

export class TemplateError extends Error {}

/** A template that would not end, or not in a reasonable time: nothing more of it is run. */
export class RunawayError extends TemplateError {}
