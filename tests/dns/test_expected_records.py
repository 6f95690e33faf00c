"""What a domain should publish."""

from dns.mta_sts import policy_id
from dns.records import ExpectedRecord, Installation, SigningKey, expected_records, why

KEY = SigningKey("mh202611abcdefghij", "TUlJQg==")


HOST = Installation("mail.mailhost.example")


def expected(name: str = "acme.example", keys=(KEY,), installation=HOST) -> list[ExpectedRecord]:
    return expected_records(name, challenge="c0ffee", installation=installation, keys=keys)


def values(installation: Installation) -> dict[tuple[str, str], str]:
    return {(one.record_type, one.name): one.value for one in expected(installation=installation)}


def test_a_domain_should_publish_what_mail_needs():
    shown = [(one.purpose, one.record_type, one.name, one.priority, one.value, one.necessity) for one in expected()]

    assert shown[:5] == [
        (
            "ownership",
            "TXT",
            "_mailhost-challenge.acme.example",
            None,
            "mailhost-verification=c0ffee",
            "required",
        ),
        ("mx", "MX", "acme.example", 10, "mail.mailhost.example", "required"),
        ("spf", "TXT", "acme.example", None, "v=spf1 mx ~all", "required"),
        (
            "dkim",
            "TXT",
            "mh202611abcdefghij._domainkey.acme.example",
            None,
            "v=DKIM1; k=rsa; p=TUlJQg==",
            "required",
        ),
        ("dmarc", "TXT", "_dmarc.acme.example", None, "v=DMARC1; p=none", "recommended"),
    ]


def test_each_key_has_a_record_of_its_own():
    names = [one.name for one in expected(keys=[KEY, SigningKey("second", "x")]) if one.purpose == "dkim"]

    assert names == ["mh202611abcdefghij._domainkey.acme.example", "second._domainkey.acme.example"]


def test_every_record_says_what_it_is_for():
    assert all(one.why.endswith(".") and one.why == why(one.purpose) for one in expected())


def test_a_name_that_dns_cannot_hold_is_left_out():
    name = ".".join(["a" * 60] * 4)

    assert [one.purpose for one in expected(f"{name}.example")] == ["mx", "spf"]


def test_mail_programs_find_their_servers_by_name():
    found = [(one.name, one.rdata) for one in expected() if one.purpose == "srv"]

    assert found == [
        ("_submissions._tcp.acme.example", "0 1 465 mail.mailhost.example."),
        ("_submission._tcp.acme.example", "10 1 587 mail.mailhost.example."),
        ("_imaps._tcp.acme.example", "0 1 993 mail.mailhost.example."),
        ("_pop3s._tcp.acme.example", "10 1 995 mail.mailhost.example."),
    ]


def test_what_the_installation_does_not_offer_is_asked_of_nobody():
    assert {one.purpose for one in expected()} == {"ownership", "mx", "spf", "dkim", "dmarc", "srv"}


def test_what_it_offers_is():
    offer = Installation(
        "mail.mailhost.example",
        spf_include="_spf.mailhost.example",
        setup_host="setup.mailhost.example",
        mta_sts_mode="testing",
        tls_reports="tls@mailhost.example",
        dmarc_reports="dmarc@mailhost.example",
        caa_issuer="letsencrypt.org",
    )

    shown = values(offer)

    assert shown["TXT", "acme.example"] == "v=spf1 include:_spf.mailhost.example ~all"
    assert shown["TXT", "_dmarc.acme.example"] == "v=DMARC1; p=none; rua=mailto:dmarc@mailhost.example"
    assert shown["CNAME", "mta-sts.acme.example"] == "setup.mailhost.example"
    assert shown["TXT", "_mta-sts.acme.example"] == f"v=STSv1; id={policy_id(offer.mta_sts_policy())}"
    assert shown["TXT", "_smtp._tls.acme.example"] == "v=TLSRPTv1; rua=mailto:tls@mailhost.example"
    assert shown["CNAME", "autoconfig.acme.example"] == "setup.mailhost.example"
    assert shown["CNAME", "autodiscover.acme.example"] == "setup.mailhost.example"
    assert shown["CAA", "acme.example"] == '0 issue "letsencrypt.org"'


def test_the_id_of_a_policy_changes_with_the_policy():
    testing, enforcing = (
        Installation("mail.mailhost.example", setup_host="setup.mailhost.example", mta_sts_mode=mode)
        for mode in ("testing", "enforce")
    )

    assert values(testing) != values(enforcing)
    assert enforcing.mta_sts_policy().split("\r\n")[:3] == [
        "version: STSv1",
        "mode: enforce",
        "mx: mail.mailhost.example",
    ]


def test_no_dmarc_record_names_a_percentage():
    assert all("pct" not in one.value for one in expected())
