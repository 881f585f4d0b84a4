// The Worker's entrance in JavaScript: what `build/index.js` exports, without what each of its calls costs.
//
// The worker crate's shim makes an instance of a class behind three proxies for every request, to begin a new instance of the wasm module
// when the last one has panicked. That is a thirtieth of what a request costs. Here the shim is asked only when there is something to mend:
// it notes a panic in `__worker_init_state`, and its own way of serving a request begins with the mending.

import Shim, { BreakerObject } from "./index.js";

export { BreakerObject };

const state = globalThis.__worker_init_state;
const serve = Shim.prototype.fetch;

export default {
  fetch(request, env, ctx) {
    if (state === undefined || state.criticalError) return new Shim(ctx, env).fetch(request);
    try {
      return serve.call({ env, ctx }, request);
    } catch (error) {
      // A trap, before the first wait. Later ones are reported where JavaScript calls back into Rust (`glue.js`).
      state.criticalError = true;
      throw error;
    }
  },
};
