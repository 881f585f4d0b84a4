// The bare pass-through that everything is compared with: nothing but `fetch`, its answer returned as it is.
export default {
  fetch(request, env) {
    return fetch(env.UPSTREAM, { method: "POST", headers: { "content-type": "application/json" }, body: request.body });
  },
};
