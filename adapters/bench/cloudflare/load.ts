/** Requests like a browser's, as Cloudflare's edge passes them to a Worker. */

import { Pool } from "undici";

const CONNECTIONS = 16;

/** What `request.cf` holds, in kind and size. */
const CF = {
  asOrganization: "Example Networks",
  asn: 64496,
  colo: "FRA",
  city: "Frankfurt am Main",
  region: "Hesse",
  regionCode: "HE",
  postalCode: "60313",
  country: "DE",
  continent: "EU",
  isEUCountry: "1",
  timezone: "Europe/Berlin",
  latitude: "50.11552",
  longitude: "8.68417",
  clientTcpRtt: 12,
  httpProtocol: "HTTP/2",
  requestPriority: "weight=192;exclusive=0",
  tlsCipher: "AEAD-AES128-GCM-SHA256",
  tlsVersion: "TLSv1.3",
  tlsClientHelloLength: "1752",
  tlsClientRandom: "r".repeat(44),
  tlsClientCiphersSha1: "s".repeat(28),
  tlsClientExtensionsSha1: "s".repeat(28),
  tlsExportedAuthenticator: {
    clientFinished: "a".repeat(64),
    clientHandshake: "b".repeat(64),
    serverHandshake: "c".repeat(64),
    serverFinished: "d".repeat(64),
  },
  tlsClientAuth: { certPresented: "0", certRevoked: "0", certVerified: "NONE" },
  edgeRequestKeepAliveStatus: 1,
};

const FIELDS = {
  host: "www.example.com",
  "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
  accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "accept-language": "en-US,en;q=0.5",
  "accept-encoding": "gzip, br",
  cookie: "session=0123456789abcdef; theme=dark",
  "cf-connecting-ip": "192.0.2.7",
  "cf-ray": "8a1b2c3d4e5f6a7b-FRA",
  "cf-visitor": '{"scheme":"https"}',
  "cf-ipcountry": "DE",
  "x-forwarded-for": "192.0.2.7",
  "x-forwarded-proto": "https",
  "cf-blob": JSON.stringify(CF),
};

export interface Load {
  readonly method: "GET" | "POST";
  readonly body?: string;
}

export class Client {
  private readonly pool: Pool;

  constructor(port: number) {
    this.pool = new Pool(`http://127.0.0.1:${port}`, { connections: CONNECTIONS });
  }

  /** Sends so many requests, with as many at once as there are connections. Each must get a 200. */
  async send(count: number, { method, body }: Load): Promise<void> {
    let left = count;
    const one = async () => {
      while (left > 0) {
        left -= 1;
        const path = "/api/items/42?fields=name,price";
        const answer = await this.pool.request({
          method,
          path,
          headers: FIELDS,
          body: body ?? null,
        });
        if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
        await answer.body.dump();
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, one));
  }

  async close(): Promise<void> {
    await this.pool.close();
  }
}
