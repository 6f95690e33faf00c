"""Where mailboxes and aliases stand."""

from django.urls import path

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from mailboxes.api import aliases, app_passwords, denials, explain, mailboxes, state
from mailboxes.web import aliases as alias_pages
from mailboxes.web import app_passwords as app_password_pages
from mailboxes.web import bulk as bulk_pages
from mailboxes.web import catch_all as catch_all_pages
from mailboxes.web import explain as explain_pages
from mailboxes.web import imports as import_pages
from mailboxes.web import invitation as invitation_pages
from mailboxes.web import mailboxes as mailbox_pages
from mailboxes.web import notices
from mailboxes.web import trial as trial_pages

pages = [
    path("mailboxes/", mailbox_pages.index, name="mailboxes"),
    path("mailboxes/add/", mailbox_pages.add, name="mailbox-add"),
    path("mailboxes/check/", mailbox_pages.check, name="mailbox-check"),
    path("mailboxes/invitation/", invitation_pages.accept, name="mailbox-invitation-accept"),
    path("mailboxes/invitation/<str:token>/", invitation_pages.opened, name="mailbox-invitation"),
    path("mailboxes/bulk/", bulk_pages.act, name="mailbox-bulk"),
    path("mailboxes/undo/", bulk_pages.undo, name="mailbox-undo"),
    path("mailboxes/export.csv", bulk_pages.export, name="mailbox-export"),
    path("mailboxes/bin/", mailbox_pages.bin_index, name="mailbox-bin"),
    path("mailboxes/<uid:uid>/", mailbox_pages.show, name="mailbox"),
    path("mailboxes/<uid:uid>/update/", mailbox_pages.update, name="mailbox-update"),
    path("mailboxes/<uid:uid>/password/", mailbox_pages.password, name="mailbox-password"),
    path("mailboxes/<uid:uid>/suspend/", mailbox_pages.suspend, name="mailbox-suspend"),
    path("mailboxes/<uid:uid>/resume/", mailbox_pages.resume, name="mailbox-resume"),
    path("mailboxes/<uid:uid>/delete/", mailbox_pages.delete, name="mailbox-delete"),
    path("mailboxes/<uid:uid>/restore/", mailbox_pages.restore, name="mailbox-restore"),
    path("mailboxes/<uid:uid>/aliases/", mailbox_pages.mailbox_aliases, name="mailbox-aliases"),
    path("mailboxes/<uid:uid>/sign-ins/", mailbox_pages.sign_ins, name="mailbox-sign-ins"),
    path("mailboxes/<uid:uid>/app-passwords/", mailbox_pages.mailbox_app_passwords, name="mailbox-app-passwords"),
    path("mailboxes/<uid:uid>/app-passwords/add/", app_password_pages.add, name="app-password-add"),
    path("app-passwords/<uid:uid>/revoke/", app_password_pages.revoke, name="app-password-revoke"),
    path("test-message/", trial_pages.send, name="test-message"),
    path("test-message/<uid:uid>/", trial_pages.sent, name="test-message-sent"),
    path("import/", import_pages.index, name="imports"),
    path("import/ended/", notices.ended, name="imports-ended"),
    path("import/<uid:uid>/", import_pages.show, name="import"),
    path("import/<uid:uid>/start/", import_pages.start, name="import-start"),
    path("import/<uid:uid>/discard/", import_pages.discard, name="import-discard"),
    path("import/<uid:uid>/report.csv", import_pages.report, name="import-report"),
    path("explain/", explain_pages.explain, name="explain"),
    path("aliases/", alias_pages.index, name="aliases"),
    path("aliases/check/", alias_pages.check, name="alias-check"),
    path("aliases/add/", alias_pages.add, name="alias-add"),
    path("aliases/undo/", alias_pages.undo, name="alias-undo"),
    path("domains/<uid:uid>/catch-all/", catch_all_pages.show, name="domain-catch-all"),
    path("domains/<uid:uid>/catch-all/undo/", catch_all_pages.undo, name="denial-undo"),
    path("denied-addresses/<uid:uid>/allow/", catch_all_pages.allow, name="denial-end"),
    path("aliases/<uid:uid>/enable/", alias_pages.set_target_enabled, {"enabled": True}, name="alias-enable"),
    path("aliases/<uid:uid>/disable/", alias_pages.set_target_enabled, {"enabled": False}, name="alias-disable"),
    path("aliases/<uid:uid>/delete/", alias_pages.delete_target, name="alias-delete"),
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
    path("domains/<str:domain>/denied-addresses", denials.DeniedAddresses.as_view(), name="api-denied-addresses"),
    path(
        "domains/<str:domain>/denied-addresses/<str:denied>",
        denials.OneDeniedAddress.as_view(),
        name="api-denied-address",
    ),
    path("aliases/<str:alias>", aliases.OneAlias.as_view(), name="api-alias"),
]
