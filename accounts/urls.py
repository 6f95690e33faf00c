"""Where people sign in and keys are kept."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from accounts.api import keys as keys_api
from accounts.web import keys, sign_in

pages = [
    path("sign-in/", sign_in.sign_in, name="sign-in"),
    path("sign-out/", sign_in.sign_out, name="sign-out"),
    path("keys/", keys.keys, name="keys"),
    path("keys/add/", keys.add_key, name="key-add"),
    path("keys/<uid:uid>/revoke/", keys.revoke, name="key-revoke"),
]
endpoints = [
    path("api-keys", keys_api.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<str:key>", keys_api.OneApiKey.as_view(), name="api-key"),
]
