"use strict";

const reference = document.getElementById("reference");
SwaggerUIBundle({
  domNode: reference,
  url: reference.dataset.document,
  deepLinking: false,
  docExpansion: "list",
  // The validator's badge would be fetched from another host.
  validatorUrl: null,
  supportedSubmitMethods: ["get", "post", "patch", "delete"],
});
