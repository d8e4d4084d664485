// The HTTP header for `DeleteOptions.unneeded`. With it, this program's client asks this program's server to delete more than a tag or a manifest.

/** Other registries ignore it and delete what the specification says. */
export const UNNEEDED_TOO = { name: 'images-delete', value: 'unneeded-too' } as const;
