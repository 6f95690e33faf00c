"""However many domains come at once, the signer's tables are rewritten a few times, and a single one at once."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from django.utils import timezone

from dns import dkim, operations, tasks
from dns.models import DkimKey, KeyState, Signer
from domains.models import Domain
from mailhost.background import Again
from mailhost.scope import every_tenant

A_MINUTE = 60


@pytest.fixture
def production_pace(monkeypatch):
    monkeypatch.delenv("MAILHOST_CONFIG_SIGNER_REST_SECONDS")


@pytest.fixture
def add_domains(acme, settings):
    """Adds domains with keys, as operations would: `add_domains(20)`. They share a key: making one takes time."""
    settings.MAILHOST_DKIM_KEYS = [Fernet.generate_key().decode()]
    pair = dkim.make_key()
    token, mark = dkim.encrypt(pair.private_pem), dkim.fingerprint(pair.private_pem)

    def add(count: int) -> None:
        now = timezone.now()
        with every_tenant("a test adds domains"):
            first = Domain.objects.count()
            domains = Domain.objects.bulk_create(
                Domain(tenant=acme, domain_name=f"shop{first + number}.example", verified_at=now, is_verified=True)
                for number in range(count)
            )
            names = [domain.domain_name for domain in domains]
            DkimKey.objects.bulk_create(
                DkimKey(
                    domain=domain,
                    selector=dkim.new_selector(now),
                    private_key=token,
                    public_key=pair.public_key,
                    fingerprint=mark,
                    state=KeyState.ACTIVE,
                )
                for domain in Domain.objects.filter(domain_name__in=names)
            )
        operations.want_tables()

    return add


def test_a_thousand_domains_in_a_minute_make_at_most_a_dozen_rewrites(dkim_dir, add_domains, production_pace):
    began, rewrites, longest_wait = timezone.now(), 0, 0.0

    for step in range(100):
        now = began + timedelta(seconds=step * A_MINUTE / 100)
        add_domains(10)
        try:
            rewrites += operations.write_signing_tables(now=now).is_changed
        except operations.Resting as resting:
            longest_wait = max(longest_wait, resting.seconds)
    operations.write_signing_tables(now=began + timedelta(seconds=A_MINUTE + longest_wait))

    assert 3 < rewrites + 1 <= 12
    assert longest_wait <= 7
    assert Signer.objects.get().domains == 1000


def test_single_domains_now_and_then_are_written_at_once(dkim_dir, add_domains, production_pace):
    began = timezone.now()

    for number in range(12):
        add_domains(1)
        operations.write_signing_tables(now=began + timedelta(seconds=7 * number))

    assert Signer.objects.get().domains == 12


def test_a_writing_that_comes_too_soon_is_put_off_by_the_rest_of_the_pause(
    dkim_dir, add_domains, production_pace, monkeypatch
):
    # However long the writing takes here, the four come at the same moment.
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    answers = []
    for _ in range(4):
        add_domains(1)
        answers.append(tasks.write_signing_tables())

    assert answers[:3] == [None] * 3
    assert isinstance(answers[3], Again)
    assert 5 < answers[3].seconds <= 7
    assert answers[3].fault == ""


def test_a_wake_up_that_comes_late_finds_nothing_to_do(dkim_dir, add_domains, opendkim, monkeypatch):
    add_domains(1)
    tasks.write_signing_tables()
    monkeypatch.setattr(operations, "write_signing_tables", lambda **_: pytest.fail("it wrote again"))

    assert tasks.write_signing_tables() is None
