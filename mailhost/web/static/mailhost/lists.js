// Lists whose rows can be selected. Without this file each row is selected by itself.
"use strict";

const pickers = (form) => [...form.querySelectorAll("tbody .pick input")];

const tellPicked = (form) => {
  const boxes = pickers(form);
  const count = boxes.filter((box) => box.checked).length;
  const all = form.querySelector("[data-pick-all]");
  all.hidden = false;
  all.checked = count > 0 && count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
  const words = form.querySelector("[data-picked]");
  words.textContent = words.dataset.picked.replace("{count}", count);
};

document.addEventListener("change", (event) => {
  const form = event.target.closest("form.picking");
  if (!form) return;
  if (event.target.matches("[data-pick-all]")) {
    for (const box of pickers(form)) box.checked = event.target.checked;
  }
  tellPicked(form);
});

// An address says what was chosen, not what was left alone.
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches("form.narrowing")) return;
  for (const [name, value] of [...event.detail.formData]) if (!value) event.detail.formData.delete(name);
});

const ready = () => document.querySelectorAll("form.picking").forEach(tellPicked);
ready();

document.addEventListener("htmx:afterSettle", ready);
