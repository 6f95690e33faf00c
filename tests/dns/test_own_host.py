"""The mail host's own records are looked at by the clock; the operators are told when they go wrong."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import User
from dns import host_operations, tasks
from dns.models import HostState
from health.parts import own_host
from mailhost.models import Job
from tests.routes.cast import a_member
from tests.world import world  # noqa: F401  a fixture

HOST, ADDRESS = "mail.mailhost.example", "192.0.2.25"
REVERSE = "25.2.0.192.in-addr.arpa"
NOW = timezone.now()


@pytest.fixture
def good(db, dns_server, settings):
    """A host whose records are all right; on no block list."""
    settings.MAILHOST_HOSTNAME = HOST
    settings.MAILHOST_BLOCKLISTS = ["lists.example"]
    settings.MAILHOST_SPF_INCLUDE = settings.MAILHOST_DMARC_REPORTS = ""
    dns_server.says(HOST, "A", ADDRESS)
    dns_server.says(HOST, "TXT", '"v=spf1 a -all"')
    dns_server.says(REVERSE, "PTR", f"{HOST}.")
    return dns_server


def looks(times: int = 1) -> HostState:
    for hour in range(times):
        host_operations.look_at_own_host(NOW + timedelta(hours=hour))
    return HostState.objects.get(name=HOST)


def test_a_host_that_is_right_is_green(good):
    state = looks()

    assert (state.problems, state.addresses, state.failing_since) == ([], [ADDRESS], None)
    seen = own_host(NOW)
    assert (seen.finding.state, seen.finding.fact) == (
        "ok",
        f"{HOST} leads to {ADDRESS} and back, and stands on no block list.",
    )


@pytest.mark.parametrize(
    ("name", "record_type", "values", "said"),
    [
        (HOST, "A", [], "has no address"),
        (HOST, "TXT", ['"hello"'], f"no such TXT record at {HOST}"),
        (HOST, "TXT", ['"v=spf1 a -all"', '"v=spf1 mx -all"'], "There are several SPF records"),
        (HOST, "TXT", ['"v=spf1 ip4:192.0.2.26 -all"'], f"does not let {ADDRESS} send"),
        (REVERSE, "PTR", [], "no name that leads back"),
        (REVERSE, "PTR", ["elsewhere.example."], f"{ADDRESS} is named elsewhere.example, not {HOST}."),
        (f"{REVERSE.removesuffix('.in-addr.arpa')}.lists.example", "A", ["127.0.0.2"], "is on lists.example"),
    ],
)
def test_what_is_wrong_is_told_after_three_looks_and_shown_at_once(good, name, record_type, values, said):
    good.says(name, record_type, *values)

    state = looks(1)
    assert state.failing_since is None
    assert (own_host(NOW).finding.state, said in own_host(NOW).finding.fact) == ("waiting", True)

    assert looks(3).failing_since is not None
    assert own_host(NOW).finding.state == "problem"
    assert Job.objects.filter(task="dns.tasks.mail_host_notice", arguments={"host_id": state.pk}).count() == 1


def test_a_name_that_leads_back_and_is_another_is_named(good):
    good.says(REVERSE, "PTR", "other.mailhost.example.")
    good.says("other.mailhost.example", "A", ADDRESS)

    looks()

    assert own_host(NOW).finding.fact == f"{ADDRESS} is named other.mailhost.example, not {HOST}."


@pytest.mark.parametrize("name", [HOST, REVERSE])
def test_dns_that_fails_turns_nothing_bad(good, name):
    looks()
    good.fails(name)

    assert host_operations.look_at_own_host(NOW) is None
    assert looks(4).misses == 0


def test_a_block_list_that_is_silent_says_nothing(good):
    good.fails(f"{REVERSE.removesuffix('.in-addr.arpa')}.lists.example")

    assert looks().problems == []


def test_the_operators_are_told_and_told_again_when_it_is_mended(good, world):  # noqa: F811
    operator, stranger = a_member(world.operator, "owner").user, a_member(world.acme, "owner").user
    former = a_member(world.operator, "admin").user
    User.objects.filter(pk=former.pk).update(is_active=False)
    good.says(REVERSE, "PTR")
    state = looks(3)
    tasks.mail_host_notice(state.pk)
    good.says(REVERSE, "PTR", f"{HOST}.")
    state = looks()
    tasks.mail_host_notice(state.pk)

    told = [message for message in mail.outbox if message.to == [operator.email]]
    assert [message.subject for message in told] == [
        f"{HOST}: its DNS is not as other servers want it",
        f"{HOST}: its DNS is right again",
    ]
    assert "no name that leads back" in told[0].body
    assert "/health/host/" in told[0].body
    assert not {stranger.email, former.email} & {message.to[0] for message in mail.outbox}
