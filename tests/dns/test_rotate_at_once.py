"""However often and from wherever a rotation is asked for at the same moment, there is one new key."""

import threading

import pytest
from django.db import connection

from accounts.actors import system_actor
from dns.key_operations import rotate_key
from dns.models import DkimKey, KeyState
from mailhost.errors import Refused
from mailhost.scope import every_tenant
from tests.dns.keys import give_signing_key

AT_ONCE = 20


@pytest.mark.django_db(transaction=True)
def test_twenty_rotations_of_one_domain_at_once_make_one_new_key(acme, verified):
    domain = verified(acme, "acme.example")
    present = give_signing_key(domain.pk)
    start, made, refused, failed = threading.Barrier(AT_ONCE), [], [], []

    def rotate() -> None:
        try:
            start.wait(timeout=60)
            made.append(rotate_key(system_actor(acme, "tests"), domain=domain))
        except Refused as error:
            refused.append(error.code)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=rotate) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with every_tenant("a test counts"):
        keys = list(DkimKey.objects.filter(domain=domain).order_by("pk").values_list("pk", "state"))
    assert failed == []
    assert (len(made), refused) == (1, ["rotation_under_way"] * (AT_ONCE - 1))
    assert keys == [(present.pk, KeyState.ACTIVE), (made[0].pk, KeyState.PENDING)]
