/** A minimal reverse proxy on Workers, with which Function Fetch is compared. */

interface Bindings {
  readonly TARGET: string;
}

export default {
  fetch(request, env) {
    const path = request.url.slice(request.url.indexOf("/", 8));
    return fetch(new Request(env.TARGET + path, request), { redirect: "manual" });
  },
} satisfies ExportedHandler<Bindings>;
