/**
 * The decision shared in Redis, for several processes or machines:
 *
 *     npm install redis
 *     REDIS_URL=redis://127.0.0.1:6379 npx function-fetch --store ./redis-store.js
 *
 * Any object with `get` and `put` is a store. What it throws, and how long it
 * takes, never fails a request.
 */

import { createClient } from "redis";

/** A store in the Redis at `url`. */
export function redisStore(url: string | undefined) {
  const client = createClient({
    ...(url === undefined ? {} : { url }),
    // While Redis is down, commands fail at once instead of waiting for it.
    disableOfflineQueue: true,
  });
  // The client reconnects by itself; without a listener an error would end the process.
  client.on("error", (error) => console.error("redis:", error.message));
  void client.connect().catch(() => {});
  return {
    get: (key: string) => client.get(key),
    put: (key: string, value: string, ttlSeconds: number) =>
      client.set(key, value, { expiration: { type: "EX", value: ttlSeconds } }),
    close: () => client.destroy(),
  };
}

export default redisStore(process.env.REDIS_URL);
