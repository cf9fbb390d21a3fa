// Lets Node find the libraries as browsers do: the vendored ones, under the names of the import map.
import { register } from "node:module";

const vendor = new URL("../../app/vendor/", import.meta.url).href;
const hook = `
  const files = {
    preact: "preact.js", "preact/hooks": "hooks.js", "@preact/signals": "signals.js",
    "@preact/signals-core": "signals-core.js", htm: "htm.js", uqr: "uqr.js",
  };
  export const resolve = (name, context, next) =>
    files[name] ? { url: "${vendor}" + files[name], format: "module", shortCircuit: true } : next(name, context);
`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
