"""Where mailboxes and aliases stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from mailboxes import app_passwords_web, explain_web, invitation_web, web
from mailboxes.api import aliases, app_passwords, explain, mailboxes, state

pages = [
    path("mailboxes/", web.index, name="mailboxes"),
    path("mailboxes/add/", web.add, name="mailbox-add"),
    path("mailboxes/invitation/", invitation_web.accept, name="mailbox-invitation-accept"),
    path("mailboxes/invitation/<str:token>/", invitation_web.opened, name="mailbox-invitation"),
    path("mailboxes/bin/", web.bin_index, name="mailbox-bin"),
    path("mailboxes/<uid:uid>/", web.show, name="mailbox"),
    path("mailboxes/<uid:uid>/update/", web.update, name="mailbox-update"),
    path("mailboxes/<uid:uid>/password/", web.password, name="mailbox-password"),
    path("mailboxes/<uid:uid>/suspend/", web.suspend, name="mailbox-suspend"),
    path("mailboxes/<uid:uid>/resume/", web.resume, name="mailbox-resume"),
    path("mailboxes/<uid:uid>/delete/", web.delete, name="mailbox-delete"),
    path("mailboxes/<uid:uid>/restore/", web.restore, name="mailbox-restore"),
    path("mailboxes/<uid:uid>/app-passwords/add/", app_passwords_web.add, name="app-password-add"),
    path("app-passwords/<uid:uid>/revoke/", app_passwords_web.revoke, name="app-password-revoke"),
    path("explain/", explain_web.explain, name="explain"),
    path("aliases/", web.aliases, name="aliases"),
    path("aliases/add/", web.add_alias, name="alias-add"),
    path("aliases/<uid:uid>/enable/", web.set_target_enabled, {"enabled": True}, name="alias-enable"),
    path("aliases/<uid:uid>/disable/", web.set_target_enabled, {"enabled": False}, name="alias-disable"),
    path("aliases/<uid:uid>/delete/", web.delete_target, name="alias-delete"),
]
endpoints = [
    path("mailboxes", mailboxes.Mailboxes.as_view(), name="api-mailboxes"),
    path("mailboxes/batch", mailboxes.MailboxBatch.as_view(), name="api-mailbox-batch"),
    path("mailboxes/<str:mailbox>", mailboxes.OneMailbox.as_view(), name="api-mailbox"),
    path("mailboxes/<str:mailbox>/password", mailboxes.MailboxPassword.as_view(), name="api-mailbox-password"),
    path("mailboxes/<str:mailbox>/invite", mailboxes.MailboxInvitation.as_view(), name="api-mailbox-invite"),
    path("mailboxes/<str:mailbox>/suspend", mailboxes.MailboxSuspension.as_view(), name="api-mailbox-suspend"),
    path("mailboxes/<str:mailbox>/resume", mailboxes.MailboxResumption.as_view(), name="api-mailbox-resume"),
    path("mailboxes/<str:mailbox>/restore", mailboxes.MailboxRestoration.as_view(), name="api-mailbox-restore"),
    path("mailboxes/<str:mailbox>/activity", app_passwords.MailboxActivity.as_view(), name="api-mailbox-activity"),
    path("mailboxes/<str:mailbox>/app-passwords", app_passwords.AppPasswords.as_view(), name="api-app-passwords"),
    path(
        "mailboxes/<str:mailbox>/app-passwords/<str:app_password>",
        app_passwords.OneAppPassword.as_view(),
        name="api-app-password",
    ),
    path("state", state.State.as_view(), name="api-state"),
    path("explain", explain.Explain.as_view(), name="api-explain"),
    path("aliases", aliases.Aliases.as_view(), name="api-aliases"),
    path("aliases/batch", aliases.AliasBatch.as_view(), name="api-alias-batch"),
    path("aliases/<str:alias>", aliases.OneAlias.as_view(), name="api-alias"),
]
