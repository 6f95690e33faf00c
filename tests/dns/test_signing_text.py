"""KeyTable and SigningTable as text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dns.signing import SigningRow, UnsafeRow, joined_key_tables, key_table, signing_table

KEYS = Path("/var/lib/mailhost/dkim/keys")


def row(domain_name="acme.example", selector="mh202611abcdefghij", key_id=7) -> SigningRow:
    return SigningRow(key_id, domain_name, selector, fingerprint="", signs=True)


def test_each_domain_has_one_line_in_each_table():
    rows = [row("bolt.example", key_id=9), row("acme.example")]

    assert signing_table(rows) == (
        "* unusable\n"
        "acme.example mh202611abcdefghij._domainkey.acme.example\n"
        "bolt.example mh202611abcdefghij._domainkey.bolt.example\n"
    )
    assert key_table(rows, KEYS) == (
        "mh202611abcdefghij._domainkey.acme.example"
        " acme.example:mh202611abcdefghij:/var/lib/mailhost/dkim/keys/mh202611abcdefghij.7.pem\n"
        "mh202611abcdefghij._domainkey.bolt.example"
        " bolt.example:mh202611abcdefghij:/var/lib/mailhost/dkim/keys/mh202611abcdefghij.9.pem\n"
    )


def test_the_newest_of_two_active_keys_signs():
    rows = [row(selector="newer", key_id=8), row(selector="older", key_id=7)]

    assert signing_table(rows) == "* unusable\nacme.example newer._domainkey.acme.example\n"


def test_a_domain_without_a_usable_key_is_named_and_a_usable_key_goes_first():
    rows, unusable = [row()], [row("bolt.example", selector="a b:c"), row(selector="newer", key_id=8), row("*")]

    assert signing_table(rows, unusable) == (
        "* unusable\n"
        "acme.example mh202611abcdefghij._domainkey.acme.example\n"
        "bolt.example unusable._domainkey.bolt.example\n"
    )


@pytest.mark.parametrize(
    "name",
    [
        "*",
        "%",
        "*.example",
        ".acme.example",
        "acme",
        "acme.example.",
        "Acme.example",
        "acme.example\n",
        "acme.example\n* bolt.example",
        "acme example",
        "acme.example:x",
        "acme.example,bolt.example",
        "acme.example#",
        "acmé.example",
        "-acme.example",
        "../acme.example",
        "a/b.example",
        "user@acme.example",
        "refile:acme.example",
        "a" * 64 + ".example",
        ".".join(["a" * 60] * 5),
        "",
    ],
)
def test_what_is_no_plain_domain_reaches_no_table(name):
    with pytest.raises(UnsafeRow):
        signing_table([row(name)])
    with pytest.raises(UnsafeRow):
        key_table([row(name)], KEYS)


@pytest.mark.parametrize("selector", ["", "a.b", "A", "a b", "a\n", "a:b", "a%", "../a", "-a", "a-", "a" * 41, "é"])
def test_what_is_no_plain_selector_reaches_no_table(selector):
    with pytest.raises(UnsafeRow):
        signing_table([row(selector=selector)])


@pytest.mark.parametrize("folder", ["keys", "/var/lib/mail host", "/var/../etc", "/a:b", "/a\nb", "/%d", "/a,b"])
def test_a_folder_that_a_table_cannot_hold_is_refused(folder):
    with pytest.raises(UnsafeRow):
        key_table([row()], Path(folder))


@given(st.text(), st.text())
def test_every_line_that_is_written_is_of_the_one_form(name, selector):
    try:
        patterns = signing_table([row(name, selector)])
        names = key_table([row(name, selector)], KEYS)
    except UnsafeRow:
        return
    assert patterns == f"{name} {selector}._domainkey.{name}\n"
    assert names == f"{selector}._domainkey.{name} {name}:{selector}:{KEYS}/{selector}.7.pem\n"
    assert (patterns + names).count("\n") == 2


def test_while_tables_change_the_keys_of_both_sets_are_named():
    old = key_table([row("acme.example"), row("bolt.example", key_id=9)], KEYS)
    new = key_table([row("acme.example"), row("cora.example", key_id=11)], KEYS)

    joined = joined_key_tables(old, new)

    assert sorted(joined.splitlines()) == sorted(set(old.splitlines()) | set(new.splitlines()))


def test_a_damaged_line_of_the_former_table_is_not_taken_over():
    old = "* %:x:/etc/passwd\nhalf._domainkey.acme.exam\n"
    new = key_table([row()], KEYS)

    assert joined_key_tables(old, new) == new


def test_a_long_domain_is_taken_over_too():
    long = ".".join(["a" * 60] * 4)
    old = key_table([row(long)], KEYS)

    assert joined_key_tables(old, "") == old
