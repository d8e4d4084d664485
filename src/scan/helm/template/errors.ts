// Errors caused by a template or its values. Bugs of this program are other errors.

export class TemplateError extends Error {}

/** The template would not end, or not in reasonable time. It is aborted. */
export class RunawayError extends TemplateError {}
