// Required before the program: writes down, at its end, which of Node's modules it has loaded, and with $LOADED_FILES its own files.
const { writeFileSync } = require('node:fs');
const { builtinModules, registerHooks } = require('node:module');

const files = [];
if (process.env.LOADED_FILES) {
  registerHooks({
    load: (url, context, next) => {
      if (url.startsWith('file:')) files.push(url);
      return next(url, context);
    },
  });
}
process.on('exit', () => {
  const names = process.moduleLoadList.map((entry) => entry.replace(/^NativeModule /, ''));
  const builtins = names.filter((name) => builtinModules.includes(name));
  writeFileSync(process.env.LOADED_TO, JSON.stringify({ builtins, files }));
});
