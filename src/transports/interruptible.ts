// A policy for transports that the library's caller wrote: what waits for one ends with the signal, even if the transport does not observe it.
import { untilAborted } from '../io/concurrency/until-aborted.ts';
import type { CallOptions } from '../io/streams/bytes.ts';
import { FORWARD, forwarding } from '../registry/policies/forwarding.ts';
import type { ImageSink, ImageSource } from './contract.ts';
import type { Transport } from './transport.ts';

/** Opening, each call and each chunk fail with the signal's reason as soon as it is aborted. Disposing is waited for. */
export function interruptible<Location>(transport: Transport<Location>): Transport<Location> {
  const { openSource, openSink, openAll } = transport;
  return forwarding<Transport<Location>>(transport, {
    name: FORWARD,
    compressesLayers: FORWARD,
    insteadOfSink: FORWARD,
    openSource:
      openSource &&
      (async (location, options) => {
        const opened = await untilAborted(openSource.call(transport, location, options), options.signal);
        return { ...opened, source: interruptibleSource(opened.source, options) };
      }),
    openSink:
      openSink &&
      (async (location, options) => {
        const opened = await untilAborted(openSink.call(transport, location, options), options.signal);
        return { ...opened, sink: interruptibleSink(opened.sink, options) };
      }),
    openAll:
      openAll &&
      (async (location, options) => {
        const all = await untilAborted(openAll.call(transport, location, options), options.signal);
        return (
          all && {
            images: all.images.map((image) => ({
              ...image,
              source: () => interruptibleSource(image.source(), options),
            })),
            ...(all.layersAsIs !== undefined && { layersAsIs: all.layersAsIs }),
            [Symbol.asyncDispose]: () => all[Symbol.asyncDispose](),
          }
        );
      }),
  });
}

function interruptibleSource(source: ImageSource, opened: CallOptions): ImageSource {
  const signalOf = (call: CallOptions = opened) => call.signal ?? opened.signal;
  const { unverified } = source;
  return forwarding<ImageSource>(source, {
    label: FORWARD,
    host: FORWARD,
    root: (call) => untilAborted(source.root(call), signalOf(call)),
    manifest: (descriptor, call) => untilAborted(source.manifest(descriptor, call), signalOf(call)),
    unverified:
      unverified &&
      (async (descriptor, call) => {
        const signal = signalOf(call);
        return endingWith(await untilAborted(unverified.call(source, descriptor, call), signal), signal);
      }),
    async blob(descriptor, from, call) {
      const signal = signalOf(call);
      return endingWith(await untilAborted(source.blob(descriptor, from, call), signal), signal);
    },
    referrers: (subject, call) => endingWith(source.referrers(subject, call), signalOf(call)),
    statTag: (tag, call) => untilAborted(source.statTag(tag, call), signalOf(call)),
    [Symbol.asyncDispose]: FORWARD,
  });
}

function interruptibleSink(sink: ImageSink, opened: CallOptions): ImageSink {
  const signalOf = (call: CallOptions = opened) => call.signal ?? opened.signal;
  const { expect } = sink;
  return forwarding<ImageSink>(sink, {
    label: FORWARD,
    wants: FORWARD,
    nameThere: FORWARD,
    admit: FORWARD,
    committed: FORWARD,
    expect: expect && ((name, image, call) => untilAborted(expect.call(sink, name, image, call), signalOf(call))),
    missing: (name, blobs, call) => untilAborted(sink.missing(name, blobs, call), signalOf(call)),
    missingManifests: (name, manifests, call) =>
      untilAborted(sink.missingManifests(name, manifests, call), signalOf(call)),
    putBlob: (name, blob, open, call) => untilAborted(sink.putBlob(name, blob, open, call), signalOf(call)),
    mountBlob: (name, blob, from, call) => untilAborted(sink.mountBlob(name, blob, from, call), signalOf(call)),
    putManifest: (name, manifest, call) => untilAborted(sink.putManifest(name, manifest, call), signalOf(call)),
    commit: (name, root, call) => untilAborted(sink.commit(name, root, call), signalOf(call)),
    finish: (call) => untilAborted(sink.finish(call), signalOf(call)),
    [Symbol.asyncDispose]: FORWARD,
  });
}

async function* endingWith<T>(items: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await untilAborted(iterator.next(), signal);
      if (done) return;
      yield value;
    }
  } finally {
    const end = iterator.return?.();
    // One that hangs does not end either.
    if (signal?.aborted) end?.catch(() => {});
    else await end;
  }
}
