import { bundle } from "/work/main/adapters/test/cloudflare/bundle.js";
import { cpu } from "/work/main/adapters/bench/cloudflare/cpu.js";
const A="/work/main/adapters";
const b=await bundle(A+"/bench/cloudflare/workers/bare.ts"), p=await bundle(A+"/src/cloudflare/index.ts");
console.log(p.map(m=>[m.type,m.path,m.contents.length]));
for (const l of process.argv[2]==="post"?[{method:"POST" as const,body:"x".repeat(500)}]:[{method:"GET" as const}]) console.log(l.method, await cpu(b,p,l,+(process.argv[3]??8)));
process.exit(0);
