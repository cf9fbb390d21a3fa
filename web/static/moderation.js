// Keys on moderators' pages: j and k walk through a list, Enter opens; letters choose a decision on a case. A template fills in reason and rule.
"use strict";

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input:not([type=radio]):not([type=checkbox]), textarea, select");
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const choice = document.querySelector(`.decision input[data-key="${CSS.escape(event.key)}"]`);
  if (choice) {
    choice.checked = true;
    choice.focus();
    event.preventDefault();
    return;
  }
  if (event.key === "j" || event.key === "k") {
    walk(event.key === "j" ? 1 : -1);
  } else if (event.key === "Enter" && event.target === document.body) {
    document.querySelector("tr.current-row a")?.click();
  }
});

function walk(step) {
  const rows = [...document.querySelectorAll("#result_list tbody tr")];
  if (!rows.length) {
    return;
  }
  const at = rows.findIndex((row) => row.classList.contains("current-row"));
  rows[at]?.classList.remove("current-row");
  const next = rows[Math.min(Math.max(at + step, 0), rows.length - 1)];
  next.classList.add("current-row");
  next.scrollIntoView({ block: "nearest" });
}

document.addEventListener("change", (event) => {
  const template = event.target.closest(".decision select[name=template]")?.selectedOptions[0];
  if (!template) {
    return;
  }
  const form = event.target.form;
  form.elements.reason.value = template.dataset.text ?? "";
  const rule = [...form.elements.rule.options].find((option) => option.dataset.number === template.dataset.rule);
  form.elements.rule.value = rule?.value ?? "";
});

/** On narrow screens a row is a card: each value needs the name of its column beside it. */
document.addEventListener("DOMContentLoaded", () => {
  const headers = [...document.querySelectorAll("#result_list thead th")];
  const names = headers.map((header) => (header.querySelector(".text") ?? header).textContent.trim());
  for (const cell of document.querySelectorAll("#result_list tbody td")) {
    const name = names[cell.cellIndex];
    if (name && cell.colSpan === 1) {
      cell.dataset.column = name;
    }
  }
});
