// To do something else with some requests, write a handler around `createWorker()` of the same module.
export { default } from "function-fetch/cloudflare";
