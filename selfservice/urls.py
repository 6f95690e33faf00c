"""Where mailbox users find what is theirs. All of it lies below `sessions.PATH`, where alone their cookie goes."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from selfservice import web

pages = [
    path("mailbox/", web.home, name="mailbox-home"),
    path("mailbox/sign-in/", web.sign_in, name="mailbox-sign-in"),
    path("mailbox/sign-out/", web.sign_out, name="mailbox-sign-out"),
    path("mailbox/password/", web.password, name="mailbox-own-password"),
    path("mailbox/app-passwords/", web.app_passwords, name="mailbox-own-app-passwords"),
    path("mailbox/app-passwords/add/", web.add_app_password, name="mailbox-own-app-password-add"),
    path("mailbox/app-passwords/<uid:uid>/revoke/", web.revoke_app_password, name="mailbox-own-app-password-revoke"),
    path("mailbox/sessions/<uid:uid>/end/", web.end_session, name="mailbox-session-end"),
]
endpoints: list = []
