"""Where people sign in and keys are kept."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from accounts import api, web

pages = [
    path("sign-in/", web.sign_in, name="sign-in"),
    path("sign-out/", web.sign_out, name="sign-out"),
    path("keys/", web.keys, name="keys"),
    path("keys/add/", web.add_key, name="key-add"),
    path("keys/<uid:uid>/revoke/", web.revoke, name="key-revoke"),
]
endpoints = [
    path("api-keys", api.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<str:key>", api.OneApiKey.as_view(), name="api-key"),
]
