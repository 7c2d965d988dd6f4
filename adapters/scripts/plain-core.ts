/** The engine in plain JavaScript: what `wasm2js` made of its core, with the glue in it. */

import { type Core, glueOf } from "./plain-glue.js";
import { parseWit } from "./wit.js";

/** What `wasm2js` writes around the functions, in this order. */
const SHAPE = new RegExp(
  [
    /^.*?function initActiveSegments\(imports\) \{\n(?<segments>.*?)\n\}\n/,
    /(?<scratch>.*?)\nfunction asmFunc\(imports\) \{\n/,
    /(?<functions>.*)\n return \{\n {2}"memory": Object\.create\(/,
    /(?<table>.*)\n \};\n\}\n\nvar retasmFunc = /,
  ]
    .map(({ source }) => source)
    .join(""),
  "s",
);

const SEGMENT = /base64DecodeToExistingUint8Array\(bufferView, (\d+), "([^"]*)"\);/g;

/** Where the memory gets what is in the segments. */
const FILL = " bufferView = HEAPU8;\n initActiveSegments(imports);\n";

/** What would be filled after the memory has grown. */
const KEPT = "   bufferView = HEAPU8;\n";

/** The source of a module that exports `instantiateCore`. */
export function plainCore(translated: string, wit: string): string {
  const { segments, scratch, functions, table } = SHAPE.exec(translated)?.groups ?? {};
  if (!segments || !scratch || !functions || !table) throw changed("its parts are not there");
  const glue = glueOf(parseWit(wit), coreOf(functions, table));
  const { from, text } = initialMemory(segments);
  const [before, after, ...more] = functions.split(FILL);
  if (before === undefined || after === undefined || more.length > 0) {
    throw changed("its memory is filled elsewhere");
  }
  return used(`
const data = ${JSON.stringify(text)};
${scratch}
export function instantiateCore() {
${before}
for (let at = 0; at < data.length; at++) HEAPU8[${from} + at] = data.charCodeAt(at);
${after.replace(KEPT, "")}
${glue}
return { engine, memory: { get buffer() { return buffer; } } };
}
`);
}

/** The segments as one text, in which a compressor finds words; the zeros between them cost it next to nothing. */
function initialMemory(segments: string): { from: number; text: string } {
  const calls = [...segments.matchAll(SEGMENT)].map(([, start, base64]) => ({
    start: Number(start),
    bytes: Buffer.from(base64 ?? "", "base64"),
  }));
  if (calls.length === 0 || calls.length !== segments.trim().split("\n").length) {
    throw changed("segments of memory are not as they were");
  }
  const from = Math.min(...calls.map(({ start }) => start));
  const end = Math.max(...calls.map(({ start, bytes }) => start + bytes.length));
  const memory = Buffer.alloc(end - from);
  for (const { start, bytes } of calls) bytes.copy(memory, start - from);
  // Bundlers leave control characters in a literal as they are, and a text field that the file is pasted into may swallow
  // them: beyond Latin-1 they are written as escapes, and a byte takes the lower half again.
  const codes = Array.from(memory, (byte) => (byte < 0x20 || byte === 0x7f ? 0x100 + byte : byte));
  return { from, text: String.fromCharCode(...codes) };
}

function coreOf(functions: string, table: string): Core {
  const exported = new Map(
    [...table.matchAll(/^ {2}"(\w+)": (\$\d+)/gm)].map(([, name = "", called = ""]) => [
      name,
      called,
    ]),
  );
  return {
    exported: (name) => exported.get(name.replace(/\W/g, "_")),
    check(called, parameters) {
      const head = functions.split(` function ${called}(`)[1] ?? "";
      const names = head.slice(0, head.indexOf(")")).split(", ").filter(Boolean);
      const made = names.map((name, index) =>
        parameters[index] === "f64" ? `  ${name} = +${name};\n` : `  ${name} = ${name} | 0;\n`,
      );
      if (names.length === parameters.length && head.includes(`) {\n${made.join("")}`)) return;
      throw new Error(
        `wit/engine.wit has other parameters than the core: ${parameters} for ${names}`,
      );
    },
  };
}

/** Without the variables that `wasm2js` always has, and this core does not use. */
function used(source: string): string {
  const setting = /^ +(?:var )?(\w+) = (?:Math\.\w+|new \w+\(\w+\));\n/gm;
  return source.replace(setting, (line, name: string) => {
    const settings = new RegExp(`\\b${name} = .*`, "g");
    return new RegExp(`\\b${name}\\b`).test(source.replace(settings, "")) ? line : "";
  });
}

function changed(what: string): Error {
  return new Error(`wasm2js writes something else now: ${what}`);
}
