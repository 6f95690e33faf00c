// Everything here is a convenience: each page works without it.
"use strict";

const announce = (text) => {
  const announcer = document.getElementById("announcer");
  if (announcer) announcer.textContent = text;
};

// Copy buttons are hidden until there is a clipboard to copy to (browsers give one to secure pages only).
const showCopyButtons = (root) => {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy][hidden]")) button.hidden = false;
};

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
  } catch {
    announce("Copying was not allowed by the browser.");
    return;
  }
  announce(button.dataset.copied);
  button.classList.add("done");
  setTimeout(() => button.classList.remove("done"), 1500);
});

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

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-generate]");
  if (!button) return;
  const input = document.getElementById(button.dataset.generate);
  input.type = "text";
  input.value = randomPassword();
  input.focus();
  input.select();
  announce("A password was filled in. Note it before you save.");
});

const prepare = (root) => {
  showCopyButtons(root);
  for (const button of root.querySelectorAll("button[data-generate][hidden]")) button.hidden = false;
};

prepare(document);
document.addEventListener("htmx:afterSwap", (event) => prepare(event.target));

// After a refusal the summary is read first.
document.getElementById("errors")?.focus();
