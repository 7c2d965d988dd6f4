/**
 * Which failure an error of undici, Node.js or the operating system is.
 *
 * What matters is whether anything was sent. The same code means different things
 * before and after a connection is established: a reset while connecting is a target
 * that accepts no connections; a later one may have lost a request.
 */

import type { Failure } from "../engine/interface.js";

/** Before there is a connection, so that nothing was sent. */
const CONNECTING: Readonly<Record<string, Failure>> = {
  ENOTFOUND: "dns-error",
  EAI_AGAIN: "dns-error",
  EAI_FAIL: "dns-error",
  EAI_NODATA: "dns-error",
  EAI_NONAME: "dns-error",
  ECONNREFUSED: "connection-refused",
  ECONNRESET: "connection-refused",
  ECONNABORTED: "connection-refused",
  EPIPE: "connection-refused",
  UND_ERR_SOCKET: "connection-refused",
  ETIMEDOUT: "connection-timeout",
  UND_ERR_CONNECT_TIMEOUT: "connection-timeout",
  EHOSTUNREACH: "destination-unavailable",
  ENETUNREACH: "destination-unavailable",
  EHOSTDOWN: "destination-unavailable",
  ENETDOWN: "destination-unavailable",
  EADDRNOTAVAIL: "destination-unavailable",
  EMFILE: "connection-limit-reached",
  ENFILE: "connection-limit-reached",
  // The handler was closed: not evidence against the target.
  UND_ERR_CLOSED: "internal-error",
  UND_ERR_DESTROYED: "internal-error",
  UND_ERR_INVALID_ARG: "http-request-uri-invalid",
  EPROTO: "tls-protocol-error",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls-certificate-error",
  SELF_SIGNED_CERT_IN_CHAIN: "tls-certificate-error",
  UNABLE_TO_GET_ISSUER_CERT: "tls-certificate-error",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls-certificate-error",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls-certificate-error",
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: "tls-certificate-error",
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: "tls-certificate-error",
  HOSTNAME_MISMATCH: "tls-certificate-error",
  INVALID_CA: "tls-certificate-error",
  INVALID_PURPOSE: "tls-certificate-error",
  PATH_LENGTH_EXCEEDED: "tls-certificate-error",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls-certificate-error",
  ERR_TLS_CERT_ALTNAME_FORMAT: "tls-certificate-error",
};

/** Once the request was on its way. */
const SENDING: Readonly<Record<string, Failure>> = {
  ECONNRESET: "connection-terminated",
  ECONNABORTED: "connection-terminated",
  EPIPE: "connection-terminated",
  UND_ERR_SOCKET: "connection-terminated",
  // The kernel gave up on a target that had vanished.
  ETIMEDOUT: "connection-terminated",
  UND_ERR_HEADERS_OVERFLOW: "http-response-header-section-size",
  HPE_HEADER_OVERFLOW: "http-response-header-section-size",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "http-response-incomplete",
  // The client's body was shorter or longer than announced.
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: "internal-error",
  UND_ERR_INVALID_ARG: "http-request-uri-invalid",
  UND_ERR_DESTROYED: "internal-error",
};

/** `connected`: whether the request was on its way. `secure`: to a target that speaks TLS. */
export function failureOf(error: unknown, connected: boolean, secure: boolean): Failure {
  const code = codeOf(error);
  if (connected) {
    // undici has the parser's codes, but does not always set them.
    if (isUnparsable(error)) return "http-protocol-error";
    const failure = code.startsWith("HPE_") ? "http-protocol-error" : "connection-terminated";
    return SENDING[code] ?? failure;
  }
  const known = CONNECTING[code];
  // TCP was connected, so the TLS handshake was cut off.
  if (known === "connection-refused" && secure && code !== "ECONNREFUSED") {
    return "tls-protocol-error";
  }
  if (known !== undefined) return known;
  if (code.startsWith("CERT_") || code.startsWith("CRL_")) return "tls-certificate-error";
  if (code.startsWith("ERR_TLS_") || code.startsWith("ERR_SSL_")) return "tls-protocol-error";
  return "destination-unavailable";
}

/**
 * Whether a response was refused because its head has both a `content-length` and a
 * `transfer-encoding`. undici's error depends on which comes first.
 */
export function hasConflictingFraming(error: Error): boolean {
  const code = codeOf(error);
  if (code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH") return true;
  const unparsable = isUnparsable(error) || code.startsWith("HPE_");
  return unparsable && error.message.includes("can't be present with");
}

/** An error of undici's parser, or its error for an unrequested 101 or an unexpected 100. */
function isUnparsable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === "HTTPParserError" || /^bad (?:upgrade|response)$/.test(error.message);
}

function codeOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}
