/** An untrusted certificate, for origins that speak TLS. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

let made: Certificate | undefined;

/** For `localhost` and 127.0.0.1, signed by itself; one for the whole process. */
export function certificate(): Certificate {
  made ??= make();
  return made;
}

/** With the `openssl` command: Node.js can read certificates, but not make them. */
function make(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-certificate-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const subject = ["-subj", "/CN=localhost"];
    const names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];
    execFileSync(
      "openssl",
      [
        "req",
        "-x509",
        ...curve,
        "-nodes",
        "-days",
        "2",
        ...subject,
        ...names,
        "-keyout",
        key,
        "-out",
        cert,
      ],
      { stdio: "pipe" },
    );
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
