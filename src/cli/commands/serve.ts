// `images serve`: the embedded registry in the foreground. With --ready-fd it is the process behind `lreg_start`.
import { closeSync, writeSync } from 'node:fs';
import { createLog } from '../../observe/log.ts';
import { isImagesError } from '../../oci/errors.ts';
import { listenUrl } from '../../server/address.ts';
import { logSettings } from '../../tasks/private-registry/log-config.ts';
import { keepLogSmall } from '../../tasks/private-registry/registry-log.ts';
import { type ServedRegistry, serveRegistry } from '../../tasks/private-registry/serve-registry.ts';
import type { ReadyMessage } from '../../tasks/private-registry/start-registry.ts';
import type { Run } from '../grammar/command.ts';
import { givenServingOptions } from '../grammar/serving-options.ts';
import { configSettings, taskSettings } from '../grammar/task-settings.ts';
import { logOutput } from '../process/log-output.ts';
import { logPlace } from '../process/log-place.ts';
import { createBufferCollector, expectManyRequests } from '../process/much-data.ts';
import { processFigures } from '../process/process-figures.ts';
import { inheritedSockets, serviceManager } from '../process/service-manager.ts';
import { servingSignals } from '../process/serving-signals.ts';

export const run: Run = async ({ options, context }) => {
  context.interruption.takeTime();
  expectManyRequests();
  const handSignalsTo = servingSignals(context.interruption);
  const readyDescriptor = options.text('ready-fd');
  const tell = (message: ReadyMessage) => {
    if (readyDescriptor === undefined) return;
    writeSync(Number(readyDescriptor), `${JSON.stringify(message)}\n`);
    closeSync(Number(readyDescriptor));
  };
  const given = givenServingOptions(options);
  let served: ServedRegistry | undefined;
  using output = logOutput(context, {
    makeRoom: (file, size) => served && keepLogSmall(served.state.data, file, size),
  });
  const say = createLog({ settings: () => logSettings(given, {}), write: output.write });
  using manager = serviceManager(context.env, {
    onNotice: (text) => say({ type: 'notice', level: 'warn', text }),
  });
  try {
    served = await serveRegistry(
      {
        ...given,
        ...(context.verbose && given.logLevel === undefined && { logLevel: 'debug' }),
        sockets: inheritedSockets(context.env),
        version: context.version,
        writeLog: output.write,
        logPlace: logPlace(context.env),
        onReceived: createBufferCollector(),
        processFigures,
      },
      { ...taskSettings(context, options), ...configSettings(options) },
    );
  } catch (error) {
    if (isImagesError(error))
      tell({ error: { code: error.code, message: error.message, ...(error.hint && { hint: error.hint }) } });
    throw error;
  }
  const { data } = served.state;
  const where = served.state.addresses.map((address) => listenUrl(address)).join(', ');
  tell({ ready: true, ...(served.open !== undefined && { open: served.open }) });
  const ready = () => manager.ready(`serving ${data} at ${where}`);
  ready();
  const { reload, drain, stopNow } = served;
  handSignalsTo({
    stopNow,
    reload: async () => {
      manager.reloading();
      await reload().finally(ready);
    },
    drain: async () => {
      manager.stopping();
      await drain();
    },
  });
  context.signal.addEventListener('abort', () => manager.stopping(), { once: true });
  await served.stopped;
  return 0;
};
