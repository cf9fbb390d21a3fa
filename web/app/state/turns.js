// Requests that change the same thing are sent one after the other: somebody who clicks again means the last click.
const turns = new Map();

/**
 * Sends when what was asked before about `key` is done.
 * @template T
 * @param {string} key
 * @param {() => Promise<T>} send
 * @returns {Promise<{answer: T, isLast: boolean}>} `isLast`: nothing else waits, so that the answer is how it stands
 */
export async function inTurn(key, send) {
  const turn = Promise.resolve(turns.get(key)).then(send, send);
  turns.set(key, turn);
  try {
    const answer = await turn;
    return { answer, isLast: turns.get(key) === turn };
  } finally {
    if (turns.get(key) === turn) turns.delete(key);
  }
}
