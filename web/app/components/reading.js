// What a view reads before it can show anything: read again after a failure.
import { useState } from "preact/hooks";

/**
 * `read()` does `work` and keeps what it failed with as `problem`, until it succeeds.
 * @param {() => Promise<unknown>} work
 * @returns {[problem: any, read: () => Promise<void>]}
 */
export function useReading(work) {
  const [problem, setProblem] = useState(null);
  return [problem, () => work().then(() => setProblem(null), setProblem)];
}
