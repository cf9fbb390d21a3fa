// Keeps the focus near where it was when what has it disappears: a deleted post, a button that has done its work, a toast.
const MOST_KEPT = 20;
let places = []; // where to go on, the nearest first

export function startFocus() {
  document.addEventListener("focusin", ({ target }) => {
    const before = places.filter((each) => each.closest("main"));
    places = [...around(target), ...before].slice(0, MOST_KEPT);
  });
  document.addEventListener("focusout", (event) => {
    const element = /** @type {Element} */ (event.target);
    queueMicrotask(() => {
      if (isNowhere() && element.isConnected) places = []; // somebody clicked beside it
    });
  });
  new MutationObserver(moveOn).observe(document.body, { childList: true, subtree: true });
}

const isNowhere = () => document.activeElement === document.body;

function moveOn() {
  if (!isNowhere() || !places.length || places[0].isConnected) return;
  const place = places.find((each) => each.isConnected) || document.querySelector("main h1");
  places = [];
  place?.focus({ preventScroll: true });
}

/** An element, and from the inside out what can have the focus around it, each with its neighbors. */
function around(element) {
  const found = [];
  for (let each = element.closest("main [tabindex]"); each; each = each.parentElement.closest("main [tabindex]")) {
    found.push(each, each.nextElementSibling, each.previousElementSibling);
  }
  return [element, ...found.filter((each) => each?.hasAttribute("tabindex"))];
}
