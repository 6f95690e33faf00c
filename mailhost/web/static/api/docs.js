"use strict";

// Swagger UI has a dark dress of its own, put on by a class: it is worn when the system asks for it, as on every page.
const dark = matchMedia("(prefers-color-scheme: dark)");
const dress = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", dress);
dress();

const reference = document.getElementById("reference");
SwaggerUIBundle({
  domNode: reference,
  url: reference.dataset.document,
  deepLinking: false,
  docExpansion: "list",
  // The validator's badge would be fetched from another host.
  validatorUrl: null,
  supportedSubmitMethods: ["get", "post", "put", "patch", "delete"],
});
