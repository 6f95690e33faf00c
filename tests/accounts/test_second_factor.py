"""Second factors that a role or a tenant asks for, codes that open once, seeds that no table tells."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.db import connection
from django.test import Client

from accounts import sealing
from accounts.models import User
from accounts.operations import create_user, set_second_factor
from mailhost.errors import NotPermitted, Refused
from tenants.models import Role
from tests.webside import fresh_cache, plain_static, signed_in  # noqa: F401  fixtures
from tests.world import PASSWORD, World, actor_of, make_world

ANNA = "anna@acme.example"


@pytest.fixture
def world(db, plain_static, fresh_cache) -> World:  # noqa: F811  the fixtures of those names
    return populated()


def populated() -> World:
    world = make_world()
    for name, role in (("anna", Role.OWNER), ("rex", Role.READ_ONLY)):
        email = f"{name}@acme.example"
        create_user(world.as_operator, tenant=world.acme, email=email, role=role, password=PASSWORD)
    return world


def person(name: str = "anna") -> User:
    return User.objects.get(email=f"{name}@acme.example")


def code(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def password_given() -> Client:
    """Return a browser that waits for Anna's second factor."""
    client = Client()
    answer = client.post("/sign-in/", {"email": ANNA, "password": PASSWORD})
    assert answer["Location"] == "/sign-in/second-factor/"
    return client


def enter(client: Client, text: str) -> bool:
    answer = client.post("/sign-in/second-factor/", {"code": text})
    return answer.status_code == 302 and client.get("/").status_code == 200


def test_the_password_alone_opens_nothing_once_there_is_an_app(world):
    TOTP.activate(person(), generate_totp_secret())

    client = password_given()

    assert client.get("/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_code_opens_within_one_step_and_once(world, steps):
    secret = generate_totp_secret()
    TOTP.activate(person(), secret)
    text = code(secret, steps)

    assert enter(password_given(), text)
    assert not enter(password_given(), text)


@pytest.mark.parametrize("steps", [-3, 3])
def test_a_code_of_another_time_opens_nothing(world, steps):
    secret = generate_totp_secret()
    TOTP.activate(person(), secret)

    assert not enter(password_given(), code(secret, steps))


def test_codes_cannot_be_guessed_on_and_on(world):
    secret = generate_totp_secret()
    TOTP.activate(person(), secret)
    client = password_given()

    for number in range(5):
        enter(client, f"{number:06}")

    assert not enter(client, code(secret))


def test_a_recovery_code_opens_once(world):
    TOTP.activate(person(), generate_totp_secret())
    text = RecoveryCodes.activate(person()).get_unused_codes()[0]

    assert enter(password_given(), text)
    assert not enter(password_given(), text)


def test_seeds_are_sealed_and_outlive_a_change_of_the_secret_key(world, settings):
    secret = generate_totp_secret()
    TOTP.activate(person(), secret)
    (stored,) = Authenticator.objects.values_list("data", flat=True)
    assert secret not in str(stored)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert sealing.unseal(stored["secret"]) == secret
    resealed = sealing.reseal(stored["secret"])
    settings.SECRET_KEY_FALLBACKS = []
    assert sealing.unseal(resealed) == secret


def test_a_tenant_that_asks_its_leaders_lets_them_nowhere_else_first(world):
    set_second_factor(world.as_acme, second_factor="leaders")

    anna, rex = signed_in(person()), signed_in(person("rex"))

    assert anna.get("/mailboxes/")["Location"] == "/security/"
    assert "must have a second factor" in anna.get("/security/").content.decode()
    assert anna.get("/security/app/").status_code == 200
    assert rex.get("/mailboxes/").status_code == 200
    TOTP.activate(person(), generate_totp_secret())
    assert anna.get("/mailboxes/").status_code == 200


def test_a_tenant_may_ask_everybody(world):
    set_second_factor(world.as_acme, second_factor="everybody")

    assert signed_in(person("rex")).get("/")["Location"] == "/security/"


def test_the_installation_asks_a_role_everywhere(world, settings):
    settings.MAILHOST_SECOND_FACTOR_ROLES = ["owner"]

    assert signed_in(person()).get("/")["Location"] == "/security/"
    assert signed_in(person("rex")).get("/").status_code == 200


def test_the_last_factor_that_is_asked_for_stays(world):
    app = TOTP.activate(person(), generate_totp_secret()).instance
    set_second_factor(world.as_acme, second_factor="leaders")

    page = signed_in(person()).post("/security/app/remove/").content.decode()

    assert "Your role must have a second factor" in page
    assert Authenticator.objects.filter(pk=app.pk).exists()


def test_only_owners_ask_for_it(world):
    with pytest.raises(NotPermitted):
        set_second_factor(actor_of(world.acme, Role.ADMIN), second_factor="everybody")
    for value, refusal in (("nobody", "invalid_choice"), ("optional", "unchanged")):
        with pytest.raises(Refused) as refused:
            set_second_factor(world.as_acme, second_factor=value)
        assert refused.value.code == refusal


@pytest.mark.django_db(transaction=True)
def test_one_code_in_four_hands_at_once_opens_for_one(plain_static, fresh_cache):  # noqa: F811
    populated()
    secret = generate_totp_secret()
    TOTP.activate(person(), secret)
    clients, text = [password_given() for _ in range(4)], code(secret)

    def run(client: Client) -> bool:
        try:
            return enter(client, text)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        outcomes = Counter(pool.map(run, clients))
    assert outcomes == {True: 1, False: 3}
