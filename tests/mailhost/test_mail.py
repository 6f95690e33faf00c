"""Mail of our own, handed to the real Postfix."""

import secrets

from django.core.mail import EmailMessage

from mailhost.mail import deliver
from tests.mail.conftest import acme, mail_stack, post  # noqa: F401  fixtures


def test_an_address_that_is_refused_for_good_keeps_the_mail_from_nobody_else(post, acme, settings):  # noqa: F811
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    login, ours = acme.login("anna"), {"Message-ID": f"<{secrets.token_hex(8)}@mailhost.example>"}

    taken = deliver([EmailMessage("A notice", to=[to], headers=ours) for to in (acme.address("nobody"), login[0])])

    assert taken == 1
    assert post.arrived(login, ours["Message-ID"])["Subject"] == "A notice"
