"""What a domain should publish."""

from dns.records import ExpectedRecord, SigningKey, expected_records, why

KEY = SigningKey("mh202611abcdefghij", "TUlJQg==")


def expected(name: str = "acme.example", keys=(KEY,)) -> list[ExpectedRecord]:
    return expected_records(name, challenge="c0ffee", mail_host="mail.mailhost.example", keys=keys)


def test_a_domain_should_publish_five_kinds_of_records():
    shown = [(one.purpose, one.record_type, one.name, one.priority, one.value, one.necessity) for one in expected()]

    assert shown == [
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
