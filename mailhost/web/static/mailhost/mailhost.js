// Everything here is a convenience: each page works without it. Words come from the page, which knows the language.
"use strict";

const announcer = document.getElementById("announcer");
const announce = (text) => {
  if (announcer && text) announcer.textContent = text;
};

// Copy buttons are hidden until there is a clipboard to copy to (browsers give one to secure pages only).
const prepare = (root) => {
  if (navigator.clipboard) for (const button of root.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
  for (const button of root.querySelectorAll("button[data-generate][hidden]")) button.hidden = false;
};

const copy = async (button) => {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    announce(announcer.dataset.noCopy);
    return;
  }
  announce(button.dataset.copied);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
};

// A long random password, without letters that look alike.
const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const randomPassword = () => {
  let password = "";
  while (password.length < 20) {
    const [byte] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < 256 - (256 % LETTERS.length)) password += LETTERS[byte % LETTERS.length];
  }
  return password;
};

const generate = (button) => {
  const input = document.getElementById(button.dataset.generate);
  input.type = "text";
  input.value = randomPassword();
  input.focus();
  input.select();
  announce(announcer.dataset.password);
};

// `command` and `commandfor` open dialogs by themselves in newer browsers; this is for the others.
const command = (button) => {
  if ("commandForElement" in HTMLButtonElement.prototype) return;
  const dialog = document.getElementById(button.getAttribute("commandfor"));
  if (button.getAttribute("command") === "show-modal") dialog?.showModal();
  if (button.getAttribute("command") === "close") dialog?.close();
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.copy !== undefined) copy(button);
  else if (button?.dataset.generate) generate(button);
  else if (button?.hasAttribute("commandfor")) command(button);
  // A click beside an open dialog closes it.
  else if (event.target.matches("dialog[open]") && !event.target.matches("[data-keep]")) event.target.close();
});

// What was sent once is not sent twice, and the button shows that it was.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
  // An answer that is saved as a file leaves the page as it is.
  setTimeout(() => rest(form), 8000);
});
const rest = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
};
addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(rest));
document.addEventListener("htmx:afterRequest", (event) => document.querySelectorAll("form[data-sent]").forEach(rest));

// Toasts: told by the server in HX-Trigger. One that offers to undo, or leads somewhere, stays until it is closed.
const STAYS_MS = 6000;
const button = (word, className) => {
  const made = document.createElement("button");
  made.textContent = word;
  made.className = className;
  return made;
};
const toast = ({ text, tone = "ok", undo = "", link = "", word = "" }) => {
  const list = document.getElementById("toasts");
  const line = document.createElement("div");
  line.className = `toast ${tone}`;
  const words = document.createElement("span");
  words.textContent = text;
  line.append(words);
  if (undo) {
    const form = document.createElement("form");
    form.method = "post";
    form.action = undo;
    const token = document.querySelector("input[name=csrfmiddlewaretoken]");
    if (token) form.append(token.cloneNode());
    const next = document.createElement("input");
    Object.assign(next, { type: "hidden", name: "next", value: location.pathname + location.search });
    form.append(next, button(list.dataset.undo, "button small"));
    line.append(form);
  }
  if (link) line.append(Object.assign(document.createElement("a"), { href: link, textContent: word }));
  const close = button("×", "icon-button");
  close.type = "button";
  close.setAttribute("aria-label", list.dataset.close);
  close.addEventListener("click", () => line.remove());
  line.append(close);
  list.append(line);
  if (undo || link) return;
  let timer = setTimeout(() => line.remove(), STAYS_MS);
  line.addEventListener("pointerenter", () => clearTimeout(timer));
  line.addEventListener("focusin", () => clearTimeout(timer));
  line.addEventListener("pointerleave", () => (timer = setTimeout(() => line.remove(), STAYS_MS)));
};
document.addEventListener("toast", (event) => toast(event.detail));

// Where a swap takes the focused button away, its successor has the focus: the one that bears the same name. htmx does so
// itself for what has an id.
const nameOf = (element) => [element.tagName, element.getAttribute("aria-label") ?? element.textContent.trim(), element.name];
let held = null;
const hold = (event) => {
  const focused = document.activeElement;
  if (focused.id || !event.detail.target.contains(focused)) return;
  held = { name: nameOf(focused).join(), places: [] };
  for (let place = focused; place !== document.body; place = place.parentElement) if (place.id) held.places.push(place.id);
};
document.addEventListener("htmx:beforeSwap", (event) => {
  held = null;
  hold(event);
});
document.addEventListener("htmx:oobBeforeSwap", hold);
const holdFocus = () => {
  if (!held || document.activeElement !== document.body) return;
  const place = document.getElementById(held.places.find((id) => document.getElementById(id)));
  const successor = [...place.querySelectorAll("a, button, input, select, textarea, summary")].find((one) => nameOf(one).join() === held.name);
  (successor ?? document.getElementById("main")).focus({ preventScroll: true });
  held = null;
};

// A section that somebody has opened or closed stays so when its page follows long work.
let sections = [];
document.addEventListener("htmx:beforeSwap", (event) => {
  sections = [...event.detail.target.querySelectorAll("details[id]")].map(({ id, open }) => [id, open]);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, open] of sections) document.getElementById(id)?.toggleAttribute("open", open);
  sections = [];
});

// Typing is one step of history, however often it pauses, and what leads to where one is makes none. A search that is
// sent, or a filter that is chosen, is a step of its own.
let typedTo = "";
document.addEventListener("htmx:beforeHistoryUpdate", ({ detail: { history, requestConfig } }) => {
  const here = location.pathname + location.search;
  const isTyped = ["input", "search"].includes(requestConfig.triggeringEvent?.type);
  if (history.path === here || (isTyped && here === typedTo)) history.type = "replace";
  typedTo = isTyped ? history.path : "";
});

// What came in by htmx: buttons wake up, a dialog around it opens, and what changed is said aloud.
document.addEventListener("htmx:afterSettle", (event) => {
  const swapped = event.target;
  prepare(swapped);
  holdFocus();
  const dialog = swapped.closest("dialog:not([open], .palette)");
  if (dialog) {
    dialog.showModal();
    dialog.querySelector(".body :is(input, select, textarea):not([type=hidden])")?.focus();
  }
  const said = swapped.closest("[data-announce]") ?? swapped.querySelector("[data-announce]");
  announce(said?.dataset.announce);
});

prepare(document);
// Where tabs move sideways, or the menu is longer than the window, the present one is in sight. The page stays where it is.
for (const present of document.querySelectorAll(".tabs [aria-current], .menu nav [aria-current]")) {
  const part = present.getBoundingClientRect();
  const whole = present.closest("nav").getBoundingClientRect();
  present.closest("nav").scrollBy(part.left + part.width / 2 - whole.left - whole.width / 2, part.top + part.height / 2 - whole.top - whole.height / 2);
}
// After a refusal the summary is read first.
document.getElementById("errors")?.focus();
