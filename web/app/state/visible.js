// Which elements are on screen: one observer for all of them, since the browser asks each observer in every frame.
const told = new WeakMap();
let watcher = null;

/**
 * Tells when an element comes into sight and when it leaves; answers how to stop.
 * @param {Element} element
 * @param {(isVisible: boolean) => void} tell
 */
export function whileVisible(element, tell) {
  let visible = false;
  told.set(element, (now) => {
    if (now !== visible) tell((visible = now));
  });
  watcher ||= new IntersectionObserver((entries) => {
    for (const entry of entries) told.get(entry.target)?.(entry.isIntersecting);
  });
  watcher.observe(element);
  return () => {
    watcher.unobserve(element);
    told.get(element)(false);
    told.delete(element);
  };
}
