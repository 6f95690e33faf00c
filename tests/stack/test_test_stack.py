"""The fixtures that all other tests stand on."""

import pytest
from django.db import connection

from mailhost.models import Job


@pytest.mark.django_db
def test_worker_has_an_empty_database_of_its_own():
    assert connection.settings_dict["NAME"].startswith("test_mailhost_")
    assert not Job.objects.exists()


def test_live_fixture_reads_what_the_daemons_read(live):
    with connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE(), @@tx_isolation, @@innodb_lock_wait_timeout")
        assert cursor.fetchone() == ("mailhost", "READ-COMMITTED", 5)
