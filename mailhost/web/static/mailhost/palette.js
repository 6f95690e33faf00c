// The palette: a combobox in a dialog. What it finds comes by htmx; here is how it opens and how keys choose.
const palette = document.getElementById("palette");
const words = document.getElementById("palette-words");
const list = document.getElementById("palette-list");

const open = () => {
  if (palette.open || document.querySelector("dialog[open]")) return;
  document.getElementById("menu").hidePopover?.();
  palette.showModal();
  words.select();
  words.dispatchEvent(new Event("palette-opened"));
};

const options = () => [...list.querySelectorAll("[role=option]")];
const chosen = () => list.querySelector("[aria-selected=true]");
const choose = (option) => {
  chosen()?.setAttribute("aria-selected", "false");
  if (!option) return words.removeAttribute("aria-activedescendant");
  option.setAttribute("aria-selected", "true");
  option.scrollIntoView({ block: "nearest" });
  words.setAttribute("aria-activedescendant", option.id);
};

// With Ctrl or Cmd in a tab of its own, as a link would.
const follow = (option, event) => {
  if (!option) return;
  if (event.ctrlKey || event.metaKey) window.open(option.dataset.address, "_blank", "noopener");
  else location.assign(option.dataset.address);
};

document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.key.toLowerCase() !== "k") return;
  event.preventDefault();
  if (palette.open) palette.close();
  else open();
});
for (const way of document.querySelectorAll("[data-palette]")) {
  way.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
}

words.addEventListener("keydown", (event) => {
  const all = options();
  const steps = { ArrowDown: 1, ArrowUp: -1 };
  if (event.key in steps && all.length) {
    event.preventDefault();
    choose(all[(all.indexOf(chosen()) + steps[event.key] + all.length) % all.length]);
  } else if (event.key === "Enter" && !event.isComposing) {
    event.preventDefault();
    // What came in just now is not chosen yet.
    follow(chosen() ?? options()[0], event);
  }
});
list.addEventListener("click", (event) => follow(event.target.closest("[role=option]"), event));
list.addEventListener("htmx:afterSettle", () => {
  choose(options()[0]);
  document.getElementById("palette-count").textContent = list.firstElementChild?.dataset.count ?? "";
});
