// A proof of work: a number that can only be found by trying. Source: Hashcash (A. Back, 2002).
const SLICE = 200; // hashes at once: about two milliseconds, after which the page gets its turn

/**
 * `<challenge>:<number>` whose SHA-256 begins with `difficulty` zero bits; "" when stopped before.
 * @param {string} challenge
 * @param {number} difficulty 1 to 32; each more takes twice as long
 * @param {AbortSignal} signal
 */
export async function solve(challenge, difficulty, signal) {
  const encoder = new TextEncoder();
  for (let first = 0; !signal.aborted; first += SLICE) {
    const tried = Array.from({ length: SLICE }, (_, index) => `${challenge}:${first + index}`);
    const hashes = await Promise.all(tried.map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))));
    const found = hashes.findIndex((hash) => new DataView(hash).getUint32(0) >>> (32 - difficulty) === 0);
    if (found >= 0) return tried[found];
  }
  return "";
}
