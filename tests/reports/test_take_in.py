"""A report is counted once, for the domain it was addressed for, from whom it says; anything else is set aside."""

import gzip
import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from django.db import DataError, OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mailhost.scope import every_tenant
from reports import intake, operations, unpacking
from reports.intake import take_in
from reports.models import DmarcCount, Report, SetAside, Source, TlsCount
from tests.reports.conftest import RECEIVER, REPORTS, YESTERDAY, dmarc_xml, row
from tests.world import verified_domain

NOW = timezone.now()


def taken(raw: bytes) -> str:
    with every_tenant("the task's part"):
        return take_in(raw, NOW)


def counts() -> list[tuple]:
    with every_tenant("a test looks at its rows"):
        rows = DmarcCount.objects.order_by("source", "pk")
        return [(one.source, one.is_dkim_aligned, one.is_spf_aligned, one.count) for one in rows]


def reason() -> str:
    return SetAside.objects.latest("pk").reason


def zipped(document: bytes, *more: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, one in enumerate([document, *more]):
            archive.writestr(f"{number}.xml", one)
    return file.getvalue()


def tls_json(**changes) -> bytes:
    policy = {
        "policy": {"policy-type": "sts", "policy-domain": "acme.example", "mx-host": ["mail.mailhost.example"]},
        "summary": {"total-successful-session-count": 90, "total-failure-session-count": 7},
        "failure-details": [
            {
                "result-type": "certificate-expired",
                "receiving-mx-hostname": "mail.mailhost.example",
                "failed-session-count": 5,
            }
        ],
    }
    begin, end = YESTERDAY.isoformat(), (YESTERDAY + timedelta(hours=23)).isoformat()
    whole = {
        "organization-name": "Receiver",
        "date-range": {"start-datetime": begin, "end-datetime": end},
        "report-id": "t-1",
        "policies": [policy],
    }
    return json.dumps(whole | changes).encode()


@pytest.mark.parametrize("pack", [zipped, bytes])
@pytest.mark.parametrize("namespace", ["", ' xmlns="urn:ietf:params:xml:ns:dmarc-2.0"'])
def test_a_report_of_either_form_is_counted_however_it_is_packed(acme, mail, pack, namespace):
    document = dmarc_xml(row(), row(source="2001:DB8::25", dkim="fail", spf="fail"), namespace=namespace)

    assert taken(mail(acme, document, pack=pack)) == "counted"

    assert counts() == [("192.0.2.25", True, True, 3), ("2001:db8::25", False, False, 3)]
    with every_tenant("a test looks at its rows"):
        assert {one.address for one in Source.objects.all()} == {"192.0.2.25", "2001:db8::25"}
        assert DmarcCount.objects.first().signed_by == "acme.example"
        assert DmarcCount.objects.first().day == YESTERDAY.date()


def test_the_same_report_twice_is_counted_once(acme, mail):
    assert [taken(mail(acme, dmarc_xml())) for _ in range(3)] == ["counted", "duplicate", "duplicate"]

    assert counts() == [("192.0.2.25", True, True, 3)]


def test_reports_of_one_day_add_up(acme, mail):
    taken(mail(acme, dmarc_xml(row(count=3), row(count=4), row(spf="fail"))))
    taken(mail(acme, dmarc_xml(row(count=5), report_id="r-2")))

    assert counts() == [("192.0.2.25", True, True, 12), ("192.0.2.25", True, False, 3)]


def test_a_large_report_takes_as_many_statements_as_a_small_one(acme, mail):
    def statements(report_id: str, sources: int) -> int:
        rows = (row(source=f"198.51.100.{number}") for number in range(sources))
        raw = mail(acme, dmarc_xml(*rows, report_id=report_id))
        with CaptureQueriesContext(connection) as captured:
            assert taken(raw) == "counted"
        return len(captured)

    taken(mail(acme, dmarc_xml(*(row(source=f"198.51.100.{number}") for number in range(99)))))

    assert statements("r-2", 99) == statements("r-3", 2)
    assert {count for *_, count in counts()} == {6, 9}


def test_a_tls_report_is_counted_by_result(acme, mail):
    assert taken(mail(acme, tls_json())) == "counted"

    with every_tenant("a test looks at its rows"):
        rows = {(one.result, one.mx_host): one.count for one in TlsCount.objects.all()}
    assert rows == {
        ("successful", ""): 90,
        ("certificate-expired", "mail.mailhost.example"): 5,
        ("unspecified", ""): 2,
    }


def test_words_that_differ_in_case_alone_are_one_result(acme, mail):
    def failure(word: str) -> dict:
        return {"result-type": word, "receiving-mx-hostname": "m", "failed-session-count": 2}

    about = {"policy-type": "STS", "policy-domain": "acme.example"}
    summary = {"total-successful-session-count": 0, "total-failure-session-count": 4}
    details = [failure("certificate-expired"), failure("Certificate-Expired ")]
    document = tls_json(policies=[{"policy": about, "summary": summary, "failure-details": details}])

    assert taken(mail(acme, document)) == "counted"

    with every_tenant("a test looks at its rows"):
        assert [(one.result, one.count) for one in TlsCount.objects.all()] == [("certificate-expired", 4)]


def test_a_report_about_another_domain_than_it_was_addressed_for_is_set_aside(acme, mail, world):
    bolt = verified_domain(world.as_bolt, "bolt.example")

    assert taken(mail(bolt, dmarc_xml())) == "set_aside"
    assert "about acme.example" in reason()
    assert counts() == []


@pytest.mark.parametrize(
    "to", [REPORTS, "reports+unknown@mailhost.example", "reports+ünbekannt@mailhost.example", "anna@acme.example", "<>"]
)
def test_a_message_to_no_domains_own_address_is_set_aside(acme, mail, to):
    assert taken(mail(acme, dmarc_xml(), to=to)) == "set_aside"
    assert "not addressed" in reason()


def test_a_forged_sender_is_set_aside(acme, mail):
    assert taken(mail(acme, dmarc_xml(), sign=False)) == "set_aside"
    # Signed, but by somebody else than the sender.
    assert taken(mail(acme, dmarc_xml(), sender="google.example")) == "set_aside"
    assert "google.example" in reason()
    altered = mail(acme, dmarc_xml(), pack=bytes).replace(b"Report Domain: acme", b"Report Domain: bolt")
    assert taken(altered) == "set_aside"

    assert counts() == []


@pytest.mark.parametrize("trouble", ["fails", "is_silent"])
def test_a_report_whose_signer_dns_does_not_tell_is_put_off_until_it_does(acme, mail, dns_server, trouble):
    raw, key = mail(acme, dmarc_xml()), f"s1._domainkey.{RECEIVER}"
    getattr(dns_server, trouble)(key)

    assert taken(raw) == "put_off"
    assert (counts(), SetAside.objects.count()) == ([], 0)
    with every_tenant("the task's part"):
        assert take_in(raw, NOW, may_wait=False) == "set_aside"
    assert reason() == f"DNS gave no answer for the key of {RECEIVER}."
    dns_server.outcomes.clear()
    assert taken(raw) == "counted"


def test_a_key_that_is_not_there_is_no_reason_to_wait(acme, mail, dns_server):
    raw = mail(acme, dmarc_xml())
    dns_server.records.clear()

    assert taken(raw) == "set_aside"
    assert "No signature" in reason()


def test_mail_of_another_domain_in_a_report_is_not_counted(acme, mail):
    document = dmarc_xml(
        row(), row(source="192.0.2.9", header_from="bolt.example"), row(header_from="mail.acme.example")
    )

    taken(mail(acme, document))

    assert counts() == [("192.0.2.25", True, True, 6)]


def test_no_more_of_a_document_is_read_than_any_report_has(acme, mail, monkeypatch):
    monkeypatch.setattr("reports.dmarc_xml.MOST_ELEMENTS", 100)

    assert taken(mail(acme, b"<feedback>" + b"<a/>" * 101)) == "set_aside"
    assert "more than 100 elements" in reason()


FIRST_YEAR = dict.fromkeys(("start-datetime", "end-datetime"), "0001-01-01T00:00:00+14:00")
# Ten to the ninth of one word.
LAUGHS = b"<!DOCTYPE a [<!ENTITY b0 'ha'>%s]><feedback>&b9;</feedback>" % b"".join(
    b"<!ENTITY b%d '%s'>" % (number, b"&b%d;" % (number - 1) * 10) for number in range(1, 10)
)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (b"nothing", "no report in it"),
        (b"<feedback>", "no XML"),
        (b"<other/>", "no DMARC report"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><feedback>&b;</feedback>', "no XML"),
        (LAUGHS, "no XML"),
        (b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><feedback>&b;</feedback>', "no XML"),
        (b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/">%b;]><feedback/>', "no XML"),
        (dmarc_xml(domain="a b"), "no domain"),
        (dmarc_xml(row(source="1.2.3")), "names no address"),
        (dmarc_xml(row(source="fe80::1%é")), "names no address"),
        (dmarc_xml(row(count=-1)), "impossible number"),
        (dmarc_xml(row(count=10**30)), "impossible number"),
        (dmarc_xml(day=YESTERDAY - timedelta(days=100)), "too long ago"),
        (dmarc_xml(day=YESTERDAY + timedelta(days=10)), "too long ago, or still to come"),
        (dmarc_xml(report_id=""), "no report_id"),
        (b"<feedback>" + b"<a>" * 1000, "nested too deeply"),
        (b"{", "no JSON"),
        (b"[" * 100_000, "no report in it"),
        (b'{"a":' * 20_000, "no JSON"),
        (tls_json(policies=[{}]), "lacks policy"),
        (tls_json(**{"report-id": 5}), "something else"),
        (tls_json(**{"date-range": FIRST_YEAR}), "period cannot be read"),
    ],
)
def test_a_broken_report_is_set_aside_with_its_reason(acme, mail, document, said):
    assert taken(mail(acme, document)) == "set_aside"
    assert said in reason()
    with every_tenant("a test looks at its rows"):
        assert not Report.objects.exists()


@pytest.mark.parametrize(
    ("pack", "said"),
    [
        (lambda _: gzip.compress(b"<feedback>" + b" " * 60_000_000), "too large"),
        (lambda _: zipped(b"<feedback>" + b" " * 60_000_000), "too large"),
        (lambda _: gzip.compress(b"<feedback>" + b" " * 5_000_000), "more tightly"),
        (lambda document: zipped(document, document), "one report"),
        (lambda _: zipped(b"")[:40], "cannot be unpacked"),
        (lambda document: gzip.compress(document)[:-20], "cut off"),
        (lambda _: b"\x1f\x8bxx", "cannot be unpacked"),
    ],
)
def test_a_bomb_or_a_torn_archive_is_set_aside(acme, mail, pack, said):
    assert taken(mail(acme, dmarc_xml(), pack=pack)) == "set_aside"
    assert said in reason()


def test_a_message_with_more_in_it_than_any_report_is_set_aside(acme, mail):
    for kind, most in (("documents", unpacking.MOST_DOCUMENTS), ("parts", unpacking.MOST_PARTS)):
        document = dmarc_xml() if kind == "documents" else b"nothing"
        assert taken(mail(acme, document, copies=most + 1)) == "set_aside"
        assert f"more than {most} {kind}" in reason()
    assert taken(b"x" * (unpacking.MOST_MESSAGE_BYTES + 1)) == "set_aside"
    assert reason() == "The message is too large."
    assert counts() == []


@pytest.mark.parametrize("fault", [RecursionError("too deep"), MemoryError(), DataError(1406, "Data too long")])
def test_a_message_on_which_the_reader_fails_is_set_aside_and_one_for_which_the_database_is_away_waits(
    acme, mail, monkeypatch, fault
):
    def fails(_raw, _now, **_more):
        raise fault

    monkeypatch.setattr(intake, "take_in", fails)
    assert operations.taken_in(mail(acme, dmarc_xml()), NOW) == "set_aside"
    assert type(fault).__name__ in reason()

    fault = OperationalError(2006, "Server has gone away")
    with pytest.raises(OperationalError):
        operations.taken_in(mail(acme, dmarc_xml()), NOW)
    assert SetAside.objects.count() == 1


def test_what_a_stranger_wrote_is_kept_short_and_printable(acme):
    taken(b"From: a\x00b" + b"c" * 5000 + b"@x\r\nMessage-ID: <1>\r\n\r\nhello")

    row = SetAside.objects.get()
    assert len(row.sender) <= 255
    assert row.sender.isprintable()


def test_a_day_is_the_one_on_which_the_report_begins(acme, mail):
    taken(mail(acme, dmarc_xml(day=YESTERDAY - timedelta(days=2))))

    with every_tenant("a test looks at its rows"):
        assert DmarcCount.objects.get().day == date.fromordinal(YESTERDAY.date().toordinal() - 2)
