"""Where people sign in, what is theirs, who works in an account, and where keys are kept.

Pages that django-allauth has views for bear the names by which it finds them.
"""

from allauth.account import views as account
from allauth.mfa.base import views as factors
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from django.contrib.auth.decorators import login_not_required
from django.urls import path
from django.views.decorators.http import require_http_methods

import mailhost.web.paths  # noqa: F401  registers <uid:…>
from accounts.admin_site import site
from accounts.api import keys as keys_api
from accounts.api import people as people_api
from accounts.freshness import needs_fresh_sign_in
from accounts.web import customers, invitations, keys, language, members, security, sign_in, sign_in_as
from accounts.web.security import own_session, with_factor


def guarded(view):
    """A page that changes a way in: the person's own, and just confirmed to be theirs."""
    return require_http_methods(["GET", "HEAD", "POST"])(own_session(needs_fresh_sign_in()(view)))


codes = with_factor("recovery_codes")

entrance = [
    path("sign-in/", sign_in.SignIn.as_view(), name="account_login"),
    path("sign-in/passkey/", login_not_required(passkeys.login_webauthn), name="mfa_login_webauthn"),
    path("sign-in/second-factor/", factors.authenticate, name="mfa_authenticate"),
    path("language/", language.choose, name="language"),
    path("sign-out/", sign_in.sign_out, name="account_logout"),
    path("password/forgotten/", sign_in.forgotten, name="account_reset_password"),
    path("password/forgotten/sent/", sign_in.forgotten_sent, name="account_reset_password_done"),
    path(
        "password/new/<alnum:uidb36>-<str:key>/",
        login_not_required(sign_in.NewPassword.as_view()),
        name="account_reset_password_from_key",
    ),
    path("password/new/set/", sign_in.new_password_set, name="account_reset_password_from_key_done"),
    path("invitations/accept/", invitations.accept, name="invitation-accept"),
    path("invitations/<uid:uid>/<str:secret>/", invitations.opened, name="invitation"),
]
own_pages = [
    path("confirm/", own_session(account.reauthenticate), name="account_reauthenticate"),
    path("confirm/code/", own_session(factors.reauthenticate), name="mfa_reauthenticate"),
    path("confirm/passkey/", own_session(security.ConfirmWithPasskey.as_view()), name="mfa_reauthenticate_webauthn"),
    path("security/", security.overview, name="mfa_index"),
    path("security/password/", guarded(account.password_change), name="account_change_password"),
    path("security/app/", guarded(totp.activate_totp), name="mfa_activate_totp"),
    path("security/app/remove/", guarded(with_factor("totp")(totp.deactivate_totp)), name="mfa_deactivate_totp"),
    path("security/passkeys/", security.overview, name="mfa_list_webauthn"),
    path("security/passkeys/add/", guarded(passkeys.add_webauthn), name="mfa_add_webauthn"),
    path("security/passkeys/<int:pk>/rename/", guarded(passkeys.edit_webauthn), name="mfa_edit_webauthn"),
    path("security/passkeys/<int:pk>/remove/", guarded(passkeys.remove_webauthn), name="mfa_remove_webauthn"),
    path(
        "security/recovery-codes/", guarded(codes(recovery_codes.view_recovery_codes)), name="mfa_view_recovery_codes"
    ),
    path(
        "security/recovery-codes/new/",
        guarded(codes(recovery_codes.generate_recovery_codes)),
        name="mfa_generate_recovery_codes",
    ),
    path("security/sessions/<int:number>/end/", security.end_session, name="session-end"),
    path("security/sessions/end-others/", security.end_others, name="sessions-end-others"),
]
people = [
    path("switch/<uid:uid>/", members.switch, name="switch"),
    path("members/", members.members, name="members"),
    path("members/invite/", members.invite, name="member-invite"),
    path("members/second-factor/", members.policy, name="second-factor-policy"),
    path("members/<uid:uid>/", members.member, name="member"),
    path("members/<uid:uid>/remove/", members.remove, name="member-remove"),
    path("members/<uid:uid>/sign-in-as/", sign_in_as.begin, name="sign-in-as"),
    path("members/invitations/<uid:uid>/resend/", members.resend, name="invitation-resend"),
    path("members/invitations/<uid:uid>/revoke/", members.revoke, name="invitation-revoke"),
    path("members/invitations/<uid:uid>/restore/", members.restore, name="invitation-restore"),
    path("customers/add/", customers.add, name="customer-add"),
    path("customers/<uid:uid>/", customers.customer, name="customer"),
    path("signed-in-as/", sign_in_as.impersonations, name="impersonations"),
    path("signed-in-as/end/", sign_in_as.end, name="impersonation-end"),
]
pages = [
    path("admin/", site.urls),
    *entrance,
    *own_pages,
    *people,
    path("keys/", keys.keys, name="keys"),
    path("keys/add/", keys.add_key, name="key-add"),
    path("keys/<uid:uid>/revoke/", keys.revoke, name="key-revoke"),
    path("keys/<uid:uid>/restore/", keys.restore, name="key-restore"),
]
endpoints = [
    path("members", people_api.Members.as_view(), name="api-members"),
    path("members/<str:member>", people_api.OneMember.as_view(), name="api-member"),
    path("invitations", people_api.Invitations.as_view(), name="api-invitations"),
    path("invitations/<str:invitation>", people_api.OneInvitation.as_view(), name="api-invitation"),
    path("invitations/<str:invitation>/resend", people_api.InvitationMail.as_view(), name="api-invitation-resend"),
    path("api-keys", keys_api.ApiKeys.as_view(), name="api-keys"),
    path("api-keys/<str:key>", keys_api.OneApiKey.as_view(), name="api-key"),
]
