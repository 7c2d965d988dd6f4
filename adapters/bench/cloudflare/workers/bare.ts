/** The least that a reverse proxy on Workers can do: what Function Fetch is compared with. */

interface Bindings {
  readonly TARGET: string;
}

export default {
  fetch(request, env) {
    const path = request.url.slice(request.url.indexOf("/", 8));
    return fetch(new Request(env.TARGET + path, request), { redirect: "manual" });
  },
} satisfies ExportedHandler<Bindings>;
