// The answers that boot.js asked for before there were modules. Each is used once.

/** @typedef {{ok: boolean, status: number, headers: Headers, text: () => Promise<string>, json: () => Promise<any>}} Answer */

/** @type {Record<string, Promise<Answer | null>>} */
const waiting = /** @type {any} */ (globalThis).early || {};
const LONGEST_WAIT = 3_000;

/** The answer to a GET without a token, or null when nobody asked or it did not come. */
export async function takeEarly(address) {
  const answer = waiting[address];
  delete waiting[address];
  return (await answer) || null;
}

/** Waits until all are there, so that the first view has what it shows; but not for ever. */
export function earlyAnswers() {
  return Promise.race([Promise.all(Object.values(waiting)), new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT))]);
}
