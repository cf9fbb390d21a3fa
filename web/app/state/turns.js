// Requests that change the same thing are sent one after the other: somebody who clicks again means the last click.
import { del, put } from "../api/client.js";

const turns = new Map();

/**
 * Puts or deletes what is at a path, when what was asked about it before is done.
 * @param {string} path
 * @param {{on: boolean, body?: object}} what
 * @returns {Promise<{answer: any, isLast: boolean}>} `isLast`: nothing else waits, so that the answer is how it stands
 */
export async function putInTurn(path, { on, body = undefined }) {
  const send = () => (on ? put(path, body) : del(path));
  const turn = Promise.resolve(turns.get(path)).then(send, send);
  turns.set(path, turn);
  try {
    const answer = await turn;
    return { answer, isLast: turns.get(path) === turn };
  } finally {
    if (turns.get(path) === turn) turns.delete(path);
  }
}
