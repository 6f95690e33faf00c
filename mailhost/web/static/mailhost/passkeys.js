// Passkeys, the one thing that no form can do alone. A form marked data-passkey gets its hidden "credential" from the
// browser, and is then sent like any other.
"use strict";

const optionsOf = async (form) => {
  const data = form.dataset.optionsUrl
    ? await (await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json" } })).json()
    : JSON.parse(document.getElementById("passkey-options").textContent);
  return (data.creation_options ?? data.request_options).publicKey;
};

const askBrowser = async (form) => {
  const options = await optionsOf(form);
  if (form.dataset.passkey !== "create") {
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  }
  // Alone, without the password, only a key that knows its person and asks for a finger, a face or a PIN will do.
  const alone = form.elements.passwordless.checked;
  const wanted = {
    ...options,
    authenticatorSelection: {
      ...options.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      userVerification: alone ? "required" : "preferred",
    },
  };
  return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(wanted) });
};

const WORDS = {
  NotAllowedError: "The browser gave no passkey: it was cancelled, or took too long. Try again.",
  InvalidStateError: "This device has a passkey for this account already.",
  SecurityError: "Passkeys work over HTTPS (or on “localhost”), under the panel's own name.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    const error = form.querySelector("[role=alert].error");
    error.textContent = "";
    try {
      form.elements.credential.value = JSON.stringify(await askBrowser(form));
    } catch (problem) {
      error.textContent = WORDS[problem.name] ?? "The browser could not use a passkey here.";
      return;
    }
    form.submit();
  });
}
