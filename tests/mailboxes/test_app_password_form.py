"""The form of an app password, and what may stand beside it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailboxes.app_passwords import FORM, check_protocols, has_form, mint, normalise_networks
from mailhost.errors import Refused


def test_each_is_new_and_has_the_form_that_dovecot_looks_for():
    made = [mint() for _ in range(200)]

    assert len({one.text for one in made}) == len({one.selector for one in made}) == 200
    for one in made:
        assert has_form(one.text)
        assert one.text[4:14] == one.selector
        assert one.text not in repr(one)


@given(st.text())
def test_what_has_the_form_needs_no_escaping_in_sql(text):
    if re.match(FORM, text):
        assert re.fullmatch(r"[0-9a-z-]+\n?", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "app-",
        "app-7kq2m9xvhw",
        "app-7KQ2M9XVHW-aaaaaa-aaaaaa-aaaaaa-aaaaaa",
        "app-7kq2m9xvh'-aaaaaa-aaaaaa-aaaaaa-aaaaaa",
    ],
)
def test_other_passwords_do_not_have_it(text):
    assert not has_form(text)


def test_networks_are_stored_as_dovecot_takes_them():
    assert normalise_networks(["192.0.2.7", " 198.51.100.0/24", "2001:DB8::/32", "192.0.2.7"]) == (
        "192.0.2.7/32,198.51.100.0/24,2001:db8::/32"
    )
    assert normalise_networks([]) is None


@pytest.mark.parametrize(
    "networks", [["everywhere"], ["192.0.2.7/24"], ["local"], ["300.1.1.1"], [""], [f"192.0.2.{n}" for n in range(21)]]
)
def test_what_is_no_network_is_refused_by_name(networks):
    with pytest.raises(Refused) as refused:
        normalise_networks(networks)

    assert (refused.value.code, refused.value.field) == ("invalid_networks", "networks")


@pytest.mark.parametrize("protocols", [[], ["sieve"], ["imap", "telnet"]])
def test_only_imap_pop3_and_smtp_can_be_chosen(protocols):
    with pytest.raises(Refused) as refused:
        check_protocols(protocols)

    assert (refused.value.code, refused.value.field) == ("invalid_protocols", "protocols")
