"""Behind a proxy each client is limited for itself, and nobody chooses the address that is written down."""

import secrets

import pytest
from django.core.cache import caches
from django.test import RequestFactory

from accounts.attempts import MOST_OF_ADDRESS
from mailhost.proxies import ClientAddressMiddleware

PROXY = "127.0.0.1"
CLIENT = "192.0.2.7"


def seen(forwarded: str | None, proxies: int, settings) -> str:
    settings.MAILHOST_PROXIES = proxies
    headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    request = RequestFactory().get("/", REMOTE_ADDR=PROXY, **headers)
    return ClientAddressMiddleware(lambda passed: passed.META["REMOTE_ADDR"])(request)


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        (CLIENT, 1, CLIENT),
        ("2001:DB8::7", 1, "2001:db8::7"),
        (f"203.0.113.9, {CLIENT}", 1, CLIENT),
        (f"203.0.113.9,{CLIENT}, 198.51.100.2", 2, CLIENT),
    ],
    ids=["one proxy", "IPv6", "a client that claims another address", "two proxies and a claim"],
)
def test_the_address_that_our_proxy_saw_counts(settings, forwarded, proxies, address):
    assert seen(forwarded, proxies, settings) == address


@pytest.mark.parametrize(
    ("forwarded", "proxies"),
    [(CLIENT, 0), (None, 1), ("", 1), (CLIENT, 2), (f"{CLIENT}, unknown", 1), (f"{CLIENT},", 1), ("<script>", 1)],
    ids=["no proxy of ours", "no header", "empty", "too few entries", "no address", "trailing comma", "markup"],
)
def test_a_header_that_our_proxies_did_not_write_is_ignored(settings, forwarded, proxies):
    assert seen(forwarded, proxies, settings) == PROXY


@pytest.mark.django_db
def test_the_sign_in_limit_of_one_client_is_not_that_of_another(settings, client):
    settings.MAILHOST_PROXIES = 1
    caches["default"].key_prefix = secrets.token_hex(8)

    def sign_in(forwarded: str, number: int) -> int:
        fields = {"email": f"person{number}@acme.example", "password": "wrong"}
        return client.post("/sign-in/", fields, HTTP_X_FORWARDED_FOR=forwarded).status_code

    for number in range(MOST_OF_ADDRESS):
        # A new claim each time must not give a new count.
        sign_in(f"203.0.113.{number}, {CLIENT}", number)

    assert sign_in(CLIENT, 999) == 429
    assert sign_in("192.0.2.8", 999) == 422
    caches["default"].key_prefix = secrets.token_hex(8)
