// Keeps the focus near where it was when what has it disappears or is switched off: a deleted post, a button that has done its work.
const MOST_KEPT = 20;
let places = []; // where to go on, the nearest first
let isByKeyboard = false;

export function startFocus() {
  document.addEventListener("focusin", ({ target }) => {
    const before = places.filter((each) => each.closest("main"));
    places = [...around(target), ...before].slice(0, MOST_KEPT);
    isByKeyboard = /** @type {Element} */ (target).matches(":focus-visible");
  });
  document.addEventListener("focusout", (event) => {
    if (event.relatedTarget) return;
    const element = /** @type {Element} */ (event.target);
    queueMicrotask(() => {
      if (isNowhere() && isUsable(element)) places = []; // somebody clicked beside it
    });
  });
  new MutationObserver(moveOn).observe(document.body, { childList: true, subtree: true });
}

const isUsable = (element) => element.isConnected && !element.disabled;
/** A text field opens the keyboard of a phone. */
const isWelcome = (element) => isUsable(element) && (isByKeyboard || !element.matches("textarea, input"));
const isNowhere = () => document.activeElement === document.body;

function moveOn() {
  if (!isNowhere() || !places.length || isUsable(places[0])) return;
  const place = places.find(isWelcome) || document.querySelector("main h1");
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
