// The files of a containers-storage store, wherever they are: a directory, or a tar archive that is not unpacked.

export interface StoreFiles extends AsyncDisposable {
  /** For messages: the path. */
  readonly label: string;
  /** A whole file below the graph root; `undefined` where there is none. Errors: NO_ACCESS. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Files of the unpacked tree of a layer, by their names in the layer's archive. */
  layerContent(id: string): Promise<LayerContent>;
}

export interface LayerContent {
  /**
   * The file's bytes. Symbolic links on the way are followed as within the tree, the last name is not.
   * Errors: TAR_INVALID (it is not there, or no regular file), NO_ACCESS.
   */
  open(name: string, size: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}
