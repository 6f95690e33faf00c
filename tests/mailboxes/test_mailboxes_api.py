"""Mailboxes over REST."""

import pytest
from django.utils import timezone

from audit.models import Event
from mailboxes.models import LastLogin, Mailbox, QuotaUsage
from mailboxes.passwords import verify
from mailhost.scope import every_tenant
from tests.apiside import assert_problem, errors_of, make_cast
from tests.world import PASSWORD, PASSWORD_HASH

pytestmark = pytest.mark.django_db

OTTO = "/mailboxes/otto@acme.example"
NEW = {"email": "Otto@ACME.example", "password": PASSWORD, "storage_quota": 250, "display_name": "Otto Ö"}


@pytest.fixture
def cast():
    return make_cast()


def stored(email: str) -> Mailbox:
    with every_tenant("a test looks at its rows"):
        return Mailbox.objects.get(email=email)


def test_new_mailbox_is_answered_whole_without_a_hash(cast):
    answer = cast.acme.caller().call("POST", "/mailboxes", NEW)

    mailbox = stored("otto@acme.example")
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/mailboxes/mbx_{mailbox.uid}"
    shown = answer.json()
    assert shown.pop("created_at").endswith("Z")
    assert shown.pop("updated_at").endswith("Z")
    assert shown == {
        "id": f"mbx_{mailbox.uid}",
        "object": "mailbox",
        "email": "otto@acme.example",
        "email_unicode": "otto@acme.example",
        "domain": "acme.example",
        "display_name": "Otto Ö",
        "storage_quota": 250,
        "usage_mb": 0.0,
        "status": "active",
        "receives_enabled": True,
        "sends_enabled": True,
        "imap_enabled": True,
        "pop3_enabled": True,
        "managesieve_enabled": True,
        "keeps_copy": True,
        "last_login_at": None,
    }
    assert verify(PASSWORD, mailbox.password_hash)


def test_hash_that_dovecot_could_not_check_is_refused(cast):
    answer = cast.acme.caller().call(
        "POST", "/mailboxes", {"email": "otto@acme.example", "password_hash": "{PLAIN}secret", "storage_quota": 1}
    )

    assert errors_of(answer) == [("#/password_hash", "invalid_hash")]


def test_mailbox_takes_a_hash_of_another_system(cast):
    answer = cast.acme.caller().call(
        "POST", "/mailboxes", {"email": "otto@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 1}
    )

    assert answer.status_code == 201
    assert verify("correct horse battery staple", stored("otto@acme.example").password_hash)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"email": "|cmd@acme.example"}, ("#/email", "invalid_address")),
        ({"email": "anna@acme.example"}, ("#/email", "taken")),
        ({"email": "sales@acme.example"}, ("#/email", "taken")),
        ({"email": "otto@bolt.example"}, ("#/email", "unknown_domain")),
        ({"email": "otto@nobody.example"}, ("#/email", "unknown_domain")),
        ({"storage_quota": 0}, ("#/storage_quota", "invalid_quota")),
        ({"password": "short"}, ("#/password", "weak_password")),
        ({"password": None}, ("#/password", "null")),
        ({"password_hash": PASSWORD_HASH}, ("#/password", "several_passwords")),
        ({"display_name": "x" * 121}, ("#/display_name", "invalid_display_name")),
        ({"is_live": 1}, ("#/is_live", "unknown_field")),
    ],
    ids=str,
)
def test_mailbox_that_breaks_a_rule_is_refused_with_the_member_at_fault(cast, change, error):
    answer = cast.acme.caller().call("POST", "/mailboxes", NEW | change)

    assert errors_of(answer) == [error]


def test_mailbox_shows_its_use_and_last_sign_in(cast):
    now = timezone.now().replace(microsecond=0)
    QuotaUsage.objects.create(username="anna@acme.example", bytes=5 * 1024 * 1024 + 300_000)
    LastLogin.objects.create(mailbox=cast.acme.mailbox, at=now, service="imap")

    shown = cast.acme.caller().read("/mailboxes/anna@acme.example")

    assert shown["usage_mb"] == 5.29
    assert shown["last_login_at"] == now.isoformat().replace("+00:00", "Z")
    assert cast.acme.caller().read("/mailboxes")["data"] == [shown]


def test_mailbox_of_an_international_domain_goes_by_either_form(cast):
    from tests.world import a_mailbox, verified_domain

    verified_domain(cast.acme.actor, "bücher.example")
    a_mailbox(cast.acme.actor, "anna@bücher.example")

    shown = cast.acme.caller().read("/mailboxes/anna@bücher.example")

    assert (shown["email"], shown["email_unicode"]) == ("anna@xn--bcher-kva.example", "anna@bücher.example")
    assert cast.acme.caller().read("/mailboxes/ANNA@xn--bcher-kva.example") == shown


def test_patch_changes_what_it_names_and_nothing_else(cast):
    caller = cast.acme.caller()
    before = caller.read("/mailboxes/anna@acme.example")
    change = {"storage_quota": 900, "display_name": "Anna", "imap_enabled": False, "sends_enabled": False}

    answer = caller.call("PATCH", "/mailboxes/anna@acme.example", change)

    assert answer.status_code == 200
    assert answer.json() | {"updated_at": ""} == before | change | {"updated_at": ""}
    assert caller.read("/mailboxes/anna@acme.example") == answer.json()


def test_empty_patch_changes_nothing(cast):
    caller = cast.acme.caller()
    before = caller.read("/mailboxes/anna@acme.example")

    assert caller.call("PATCH", "/mailboxes/anna@acme.example", {}).json() == before


@pytest.mark.parametrize(
    "member", ["email", "password", "password_hash", "domain", "status", "id", "created_at", "uid"]
)
def test_patch_takes_nothing_that_is_not_the_customers_to_change(cast, member):
    answer = cast.acme.caller().call("PATCH", "/mailboxes/anna@acme.example", {member: "x"})

    assert errors_of(answer) == [(f"#/{member}", "unknown_field")]


def test_password_is_set_and_stands_nowhere_else(cast):
    answer = cast.acme.caller().call("POST", "/mailboxes/anna@acme.example/password", {"password": PASSWORD})

    assert (answer.status_code, answer.content) == (204, b"")
    assert verify(PASSWORD, stored("anna@acme.example").password_hash)
    with every_tenant("a test looks at its rows"):
        records = list(Event.objects.filter(action="mailboxes.change_password").values())
    assert len(records) == 1
    assert PASSWORD not in str(records)


def test_suspended_mailbox_is_resumed(cast):
    caller = cast.acme.caller()

    suspended = caller.call("POST", "/mailboxes/anna@acme.example/suspend")
    again = caller.call("POST", "/mailboxes/anna@acme.example/suspend")
    resumed = caller.call("POST", "/mailboxes/anna@acme.example/resume", {})

    assert suspended.json()["status"] == "suspended"
    assert errors_of(again) == [("#", "unchanged")]
    assert resumed.json()["status"] == "active"


def test_mailbox_under_a_switched_off_domain_is_inactive(cast):
    cast.acme.caller().call("PATCH", "/domains/acme.example", {"enabled": False})

    assert cast.acme.caller().read("/mailboxes/anna@acme.example")["status"] == "inactive"


@pytest.mark.parametrize("by", ["id", "email"])
def test_deleted_mailbox_is_gone_until_it_is_restored(cast, by):
    caller = cast.acme.caller()
    before = caller.read("/mailboxes/anna@acme.example")
    path = f"/mailboxes/{before[by]}"

    assert caller.call("DELETE", path).status_code == 204
    assert_problem(caller.call("GET", path), 404, "not_found")
    assert caller.read("/mailboxes")["data"] == []
    restored = caller.call("POST", f"{path}/restore")

    assert restored.status_code == 200
    assert restored.json() | {"updated_at": ""} == before | {"updated_at": ""}


def test_live_mailbox_cannot_be_restored(cast):
    assert_problem(cast.acme.caller().call("POST", "/mailboxes/anna@acme.example/restore"), 404, "not_found")


WANTED = {"password_hash": PASSWORD_HASH, "storage_quota": 5, "display_name": "Otto", "pop3_enabled": False}


def test_put_makes_what_is_not_there_and_again_changes_nothing(cast):
    caller = cast.acme.caller()

    made = caller.call("PUT", OTTO, WANTED)
    again = caller.call("PUT", OTTO, WANTED)

    assert (made.status_code, again.status_code) == (201, 200)
    assert made.headers["Location"].endswith(made.json()["id"])
    assert again.json() | {"updated_at": ""} == made.json() | {"updated_at": ""}
    assert (made.json()["display_name"], made.json()["pop3_enabled"]) == ("Otto", False)


def test_put_changes_what_it_names_the_password_too(cast):
    caller = cast.acme.caller()
    caller.call("PUT", OTTO, WANTED)

    answer = caller.call("PUT", OTTO, {"storage_quota": 9, "password": PASSWORD})

    assert (answer.status_code, answer.json()["storage_quota"], answer.json()["display_name"]) == (200, 9, "Otto")
    assert verify(PASSWORD, stored("otto@acme.example").password_hash)


def test_put_of_a_password_that_is_so_already_ends_no_session(cast):
    from mailhost.models import Job

    caller = cast.acme.caller()
    caller.call("PUT", OTTO, {"storage_quota": 9, "password": PASSWORD})
    Job.objects.all().delete()

    caller.call("PUT", OTTO, {"storage_quota": 9, "password": PASSWORD})

    assert not Job.objects.exists()


def test_put_makes_nothing_under_an_id_or_without_a_size(cast):
    caller = cast.acme.caller()

    assert_problem(caller.call("PUT", f"/mailboxes/mbx_{'0' * 20}", WANTED), 404, "not_found")
    assert errors_of(caller.call("PUT", OTTO, {"password": PASSWORD})) == [("#/storage_quota", "required")]
    assert errors_of(caller.call("PUT", OTTO, {"storage_quota": 5})) == [("#/password", "password_required")]
    assert errors_of(caller.call("PUT", "/mailboxes/otto@bolt.example", WANTED)) == [("#/email", "unknown_domain")]


def test_put_that_fails_half_way_makes_nothing(cast):
    answer = cast.acme.caller().call("PUT", OTTO, WANTED | {"keeps_copy": False})

    assert errors_of(answer) == [("#/keeps_copy", "no_forward")]
    assert_problem(cast.acme.caller().call("GET", OTTO), 404, "not_found")


def test_put_only_if_it_is_not_there(cast):
    caller = cast.acme.caller()
    headers = {"if-none-match": "*"}

    assert caller.call("PUT", OTTO, WANTED, headers=headers).status_code == 201
    assert_problem(caller.call("PUT", OTTO, WANTED, headers=headers), 412, "precondition_failed")


def test_hash_of_another_system_replaces_a_password(cast):
    answer = cast.acme.caller().call("POST", "/mailboxes/anna@acme.example/password", {"password_hash": PASSWORD_HASH})

    assert answer.status_code == 204
    assert verify("correct horse battery staple", stored("anna@acme.example").password_hash)


@pytest.mark.parametrize(
    ("query", "addresses"),
    [
        ("sort=email", ["anna", "bert", "carl"]),
        ("sort=-email", ["carl", "bert", "anna"]),
        ("sort=created_at", ["anna", "carl", "bert"]),
        ("sort=-created_at", ["bert", "carl", "anna"]),
        ("status=suspended", ["carl"]),
        ("status=active", ["anna", "bert"]),
        ("status=inactive", []),
        ("q=ERT@acme", ["bert"]),
        ("q=Müller", ["carl"]),
        ("q=%25", []),
        ("q=anna&status=suspended", []),
    ],
)
def test_list_is_sorted_narrowed_and_searched(cast, query, addresses):
    caller = cast.acme.caller()
    for name, more in (("carl", {"display_name": "Carl Müller"}), ("bert", {})):
        body = {"email": f"{name}@acme.example", "password_hash": PASSWORD_HASH, "storage_quota": 1}
        caller.call("POST", "/mailboxes", body | more)
    caller.call("POST", "/mailboxes/carl@acme.example/suspend")

    whole = caller.read(f"/mailboxes?{query}&include=total")
    first = caller.read(f"/mailboxes?{query}&limit=1")

    assert [row["email"].partition("@")[0] for row in whole["data"]] == addresses
    assert whole["total"] == len(addresses)
    if len(addresses) > 1:
        rest = caller.read(f"/mailboxes?{query}&limit=200&after={first['next_cursor']}")
        assert [*first["data"], *rest["data"]] == whole["data"]
        assert "total" not in rest


@pytest.mark.parametrize("query", ["sort=password_hash", "status=gone", "include=hash", f"q={'x' * 201}"])
def test_list_that_is_asked_for_what_it_has_not_says_so(cast, query):
    assert_problem(cast.acme.caller().call("GET", f"/mailboxes?{query}"), 400, "invalid_parameter")


def test_cursor_of_another_order_is_refused(cast):
    caller = cast.acme.caller()
    caller.call("PUT", OTTO, WANTED)
    cursor = caller.read("/mailboxes?limit=1&sort=email")["next_cursor"]

    assert_problem(caller.call("GET", f"/mailboxes?sort=-email&after={cursor}"), 400, "invalid_parameter")
