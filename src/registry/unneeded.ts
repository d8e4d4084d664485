// The header by which this program's client asks this program's server to delete more than a tag or a manifest: `DeleteOptions.unneeded` on the wire.

/** No other registry knows it: each deletes what the specification says. */
export const UNNEEDED_TOO = { name: 'images-delete', value: 'unneeded-too' } as const;
