/** The engine's core, as the bundler puts it into the file. */
declare module "engine-core" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
