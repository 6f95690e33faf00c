"""An encryption key can be taken out of use without making a new signing key."""

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from dns import dkim, tasks
from dns.models import DkimKey
from mailhost.scope import every_tenant


def keys() -> list[DkimKey]:
    with every_tenant("a test looks"):
        return list(DkimKey.objects.order_by("pk"))


@pytest.fixture
def two_keys(acme, verified):
    for name in ("acme.example", "bolt.example"):
        tasks.make_key(verified(acme, name).pk)
    return keys()


def test_after_it_the_old_encryption_key_opens_nothing(two_keys, settings, capsys):
    before = [dkim.decrypt(key.private_key) for key in two_keys]
    fresh = Fernet.generate_key().decode()
    settings.MAILHOST_DKIM_KEYS = [fresh, *settings.MAILHOST_DKIM_KEYS]

    call_command("rotate_dkim_encryption")

    settings.MAILHOST_DKIM_KEYS = [fresh]
    assert [dkim.decrypt(key.private_key) for key in keys()] == before
    assert capsys.readouterr().out == "2 private keys are encrypted under the first key.\n"


def test_one_that_cannot_be_opened_leaves_all_as_they_were(two_keys, settings, capsys):
    with every_tenant("a test breaks one"):
        DkimKey.objects.filter(pk=two_keys[1].pk).update(private_key="rubbish")
    before = [key.private_key for key in keys()]

    with pytest.raises(SystemExit) as ended:
        call_command("rotate_dkim_encryption")

    assert ended.value.code == 1
    assert "Nothing was changed" in capsys.readouterr().err
    assert [key.private_key for key in keys()] == before
