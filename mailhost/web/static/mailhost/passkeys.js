// Passkeys, the one thing that no form can do alone. A form marked data-passkey gets its hidden "credential" from the
// browser, and is then sent like any other.
"use strict";

const optionsOf = async (form) => {
  const data = form.dataset.optionsUrl
    ? await (await fetch(form.dataset.optionsUrl, { headers: { Accept: "application/json" } })).json()
    : JSON.parse(document.getElementById("passkey-options").textContent);
  return (data.creation_options ?? data.request_options).publicKey;
};

const askBrowser = async (form, more = {}) => {
  const options = await optionsOf(form);
  if (form.dataset.passkey !== "create") {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return navigator.credentials.get({ publicKey, ...more });
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

// The words for each fault stand on the page, in its language.
const words = (error, problem) =>
  ({
    NotAllowedError: error.dataset.notAllowed,
    InvalidStateError: error.dataset.invalidState,
    SecurityError: error.dataset.security,
  })[problem.name] ?? error.dataset.other;

// The browser offers passkeys in the address field, as it offers kept passwords. One question at a time: whoever presses
// the button ends this one.
let offer;
const offerInField = async (form) => {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  offer = new AbortController();
  try {
    const credential = await askBrowser(form, { mediation: "conditional", signal: offer.signal });
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch {
    // Nothing was asked for, so nothing is said: the button and the password are still there.
  }
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) continue;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    if (form.elements.credential.value) return;
    event.preventDefault();
    offer?.abort();
    const error = form.querySelector("[role=alert].error");
    error.textContent = "";
    try {
      form.elements.credential.value = JSON.stringify(await askBrowser(form));
    } catch (problem) {
      error.textContent = words(error, problem);
      return;
    }
    form.submit();
  });
  if (form.dataset.passkey === "sign-in" && document.querySelector("[autocomplete~=webauthn]")) offerInField(form);
}
