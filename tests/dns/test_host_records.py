"""The records of the installation's own host: which there should be, and what is found of each."""

from datetime import timedelta

import pytest
from django.utils import timezone

from dns import dane
from dns.host_operations import look_at_own_host
from dns.models import HostRecord, HostState
from mailhost.said import from_kept

HOST, ADDRESS, SIXTH = "mail.mailhost.example", "192.0.2.25", "2001:db8::25"
SETUP, WEB = "setup.mailhost.example", "192.0.2.80"
REVERSE = "25.2.0.192.in-addr.arpa"
SIXTH_REVERSE = "5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
TLSA = f"_25._tcp.{HOST}"
KEY, NEXT, OLD = "11" * 32, "22" * 32, "33" * 32
NOW = timezone.now()


@pytest.fixture
def good(db, dns_server, settings):
    """A host that shows all that it should; its zone is not signed."""
    settings.MAILHOST_HOSTNAME = HOST
    settings.MAILHOST_BLOCKLISTS = []
    settings.MAILHOST_ADDRESSES = [ADDRESS, "2001:DB8:0::25"]
    settings.MAILHOST_SPF_INCLUDE = "_spf.mailhost.example"
    settings.MAILHOST_DMARC_REPORTS = "reports@reports.example"
    settings.MAILHOST_SETUP_HOST = SETUP
    dns_server.says(HOST, "A", ADDRESS)
    dns_server.says(HOST, "AAAA", SIXTH)
    dns_server.says(HOST, "TXT", '"v=spf1 a -all"')
    for name in (REVERSE, SIXTH_REVERSE):
        dns_server.says(name, "PTR", f"{HOST}.")
    # As the operator wrote it, in other words than the panel would.
    dns_server.says("_spf.mailhost.example", "TXT", f'"v=spf1 ip4:192.0.2.0/24 ip6:{SIXTH} -all"')
    dns_server.says(SETUP, "A", WEB)
    dns_server.says("*._report._dmarc.reports.example", "TXT", '"v=DMARC1"')
    return dns_server


def look(keys: list[str] | None = None, hours: int = 0) -> dict[tuple[str, str, str], HostRecord]:
    look_at_own_host(NOW + timedelta(hours=hours), keys)
    return {(row.name, row.record_type, row.value): row for row in HostRecord.objects.all()}


def problems() -> list[str]:
    return [str(from_kept(kept)) for kept in HostState.objects.get(name=HOST).problems]


def tlsa(digest: str) -> tuple[str, str, str]:
    return TLSA, "TLSA", f"3 1 1 {digest}"


def test_the_host_has_a_row_for_each_record_and_each_is_found(good):
    rows = look()

    assert {place: (row.purpose, row.necessity, row.status) for place, row in rows.items()} == {
        (HOST, "A", ADDRESS): ("address", "required", "ok"),
        (HOST, "AAAA", SIXTH): ("address", "recommended", "ok"),
        (REVERSE, "PTR", HOST): ("ptr", "required", "ok"),
        (SIXTH_REVERSE, "PTR", HOST): ("ptr", "required", "ok"),
        (HOST, "TXT", "v=spf1 a -all"): ("greeting", "recommended", "ok"),
        ("_spf.mailhost.example", "TXT", f"v=spf1 a:{HOST} -all"): ("spf_include", "required", "ok"),
        ("*._report._dmarc.reports.example", "TXT", "v=DMARC1"): ("reports_taken", "recommended", "ok"),
        (SETUP, "A", WEB): ("setup_host", "required", "ok"),
    }
    assert problems() == []


@pytest.mark.parametrize(
    ("shown", "place", "status", "said"),
    [
        ((HOST, "AAAA"), (HOST, "AAAA", SIXTH), "missing", f"There is no such AAAA record at {HOST} yet."),
        ((HOST, "A", "192.0.2.26"), (HOST, "A", ADDRESS), "mismatch", f"leads to 192.0.2.26, not to {ADDRESS}"),
        ((REVERSE, "PTR"), (REVERSE, "PTR", HOST), "missing", f"{ADDRESS} has no name that leads back"),
        (
            ("_spf.mailhost.example", "TXT", '"v=spf1 ip4:192.0.2.0/24 -all"'),
            ("_spf.mailhost.example", "TXT", f"v=spf1 a:{HOST} -all"),
            "mismatch",
            f"The SPF record at _spf.mailhost.example does not let {SIXTH} send.",
        ),
    ],
)
def test_what_differs_is_said_at_its_row_and_among_the_problems(good, shown, place, status, said):
    good.says(*shown)

    row = look()[place]

    assert (row.status, said in row.problem) == (status, True)
    assert [said in problem for problem in problems()].count(True) == 1


def test_a_record_that_stands_below_the_domain_twice_is_named(good):
    good.says(REVERSE, "PTR")
    good.says(f"{REVERSE}.mailhost.example", "PTR", f"{HOST}.")

    assert "The domain was appended twice" in look()[REVERSE, "PTR", HOST].problem


def test_dns_that_fails_leaves_each_row_as_it_was(good):
    look()
    good.fails(REVERSE)

    row = look(hours=1)[REVERSE, "PTR", HOST]

    assert (row.status, "SERVFAIL" in row.problem) == ("ok", True)
    assert row.last_checked_at == NOW


def test_addresses_that_nobody_named_are_those_that_dns_shows_and_the_last_are_remembered(good, settings):
    settings.MAILHOST_ADDRESSES = []
    look()
    good.says(HOST, "A")
    good.says(HOST, "AAAA")

    rows = look(hours=1)

    assert (rows[HOST, "A", ADDRESS].status, rows[HOST, "AAAA", SIXTH].status) == ("missing", "missing")


def test_a_name_that_is_wanted_no_more_loses_its_row(good, settings):
    look()
    settings.MAILHOST_SPF_INCLUDE = ""

    assert not [row for row in look(hours=1).values() if row.purpose == "spf_include"]


def test_a_set_up_host_that_dns_has_lost_is_missed_where_it_was(good):
    look()
    good.says(SETUP, "A")
    gone, still_gone = look(hours=1)[SETUP, "A", WEB], look(hours=2)[SETUP, "A", WEB]

    assert (gone.status, still_gone.status) == ("missing", "missing")
    assert problems() == [f"There is no such A record at {SETUP} yet."]


def test_a_set_up_host_that_moves_is_followed(good):
    look()
    good.says(SETUP, "A", "192.0.2.81")

    rows = look(hours=1)

    assert [(row.value, row.status) for row in rows.values() if row.purpose == "setup_host"] == [("192.0.2.81", "ok")]


def test_until_it_is_entered_the_set_up_host_is_to_lead_where_the_mail_host_does(good):
    good.says(SETUP, "A")

    rows = look()

    wanted = {(SETUP, "A", ADDRESS): ("required", "missing"), (SETUP, "AAAA", SIXTH): ("recommended", "missing")}
    found = {place: (row.necessity, row.status) for place, row in rows.items() if row.purpose == "setup_host"}
    assert found == wanted


def test_a_set_up_host_that_is_the_mail_host_has_no_row_of_its_own(good, settings):
    settings.MAILHOST_SETUP_HOST = HOST

    assert not [row for row in look().values() if row.purpose == "setup_host"]


def test_no_key_is_offered_where_nobody_could_believe_it(good):
    rows = look([KEY])

    assert not [row for row in rows.values() if row.purpose == "tlsa"]
    state = HostState.objects.get(name=HOST)
    assert state.is_signed is False
    assert "is not signed" in dane.why_not(HOST, state.is_signed, state.keys)


def test_signatures_count_when_the_zone_above_knows_their_key(good):
    good.shows_signatures("mailhost.example")
    alone = look([KEY])
    good.says("mailhost.example", "DS", f"1 13 2 {OLD}")

    known = look([KEY], hours=1)

    assert (tlsa(KEY) in alone, tlsa(KEY) in known) == (False, True)


def test_the_key_in_use_and_the_next_one_are_asked_for_side_by_side(good):
    good.vouches_for("mailhost.example")
    good.says(TLSA, "TLSA", f"3 1 1 {KEY}", f"3 1 1 {NEXT}")

    rows = look([KEY, NEXT])

    assert [(rows[tlsa(key)].status, rows[tlsa(key)].necessity) for key in (KEY, NEXT)] == [("ok", "optional")] * 2
    assert dane.why_not(HOST, True, [KEY]) == ""
    # After the change the former one goes from the rows.
    assert tlsa(KEY) not in look([NEXT], hours=1)


def test_a_next_key_that_dns_lacks_is_told_before_it_is_used(good):
    good.vouches_for("mailhost.example")
    good.says(TLSA, "TLSA", f"3 1 1 {KEY}")

    rows = look([KEY, NEXT])

    assert (rows[tlsa(KEY)].status, rows[tlsa(NEXT)].status) == ("ok", "mismatch")
    assert "Enter this one beside it" in problems()[0]


def test_a_host_may_go_without_a_tlsa_record(good):
    good.vouches_for("mailhost.example")

    assert look([KEY])[tlsa(KEY)].status == "missing"
    assert problems() == []


def test_keys_that_cannot_be_read_just_now_are_the_former_ones(good):
    good.vouches_for("mailhost.example")
    look([KEY])

    assert tlsa(KEY) in look(None, hours=1)
