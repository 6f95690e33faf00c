"""The list of mailboxes: narrowed, ordered, selected, exported, and what was done taken back."""

import csv
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from mailboxes.fullness import note_fullness
from mailboxes.models import Mailbox, QuotaUsage
from mailboxes.operations import suspend_mailbox, update_mailbox
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.webside import signed_in
from tests.world import a_mailbox, fresh, verified_domain

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("plain_static")]


def browser_of(tenant, role: str = Role.OWNER) -> Client:
    user, _ = User.objects.get_or_create(email=f"{role}@{tenant.name.lower()}.example")
    with every_tenant("the tests' cast"):
        Member.objects.get_or_create(tenant=tenant, user=user, role=role)
    return signed_in(user)


@pytest.fixture
def people(world) -> dict[str, Mailbox]:
    """Anna, nearly full; Ben, suspended; Carla, empty."""
    verified_domain(world.as_acme, "acme.example")
    rows = {name: a_mailbox(world.as_acme, f"{name}@acme.example") for name in ("anna", "ben", "carla")}
    update_mailbox(world.as_acme, mailbox=rows["anna"], display_name="=Anna")
    suspend_mailbox(world.as_acme, mailbox=rows["ben"])
    QuotaUsage.objects.create(username="anna@acme.example", bytes=90 * 1024 * 1024)
    note_fullness()
    return rows


@pytest.fixture
def anna(world) -> Client:
    return browser_of(world.acme)


def shown(answer) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/mailboxes/[^>]*>([^<@]+)@', answer.content.decode())


def act(browser: Client, name: str, *rows: Mailbox, **more: str):
    return browser.post("/mailboxes/bulk/", {"act": name, "mailbox": [row.uid for row in rows], **more}, follow=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["anna", "ben", "carla"]),
        ("?q=AR", ["carla"]),
        ("?status=suspended", ["ben"]),
        ("?status=active", ["anna", "carla"]),
        ("?use=nearly", ["anna"]),
        ("?use=full", []),
        ("?sort=newest", ["carla", "ben", "anna"]),
        ("?sort=fullest", ["anna", "carla", "ben"]),
        ("?status=nonsense&sort=nonsense&use=nonsense", ["anna", "ben", "carla"]),
    ],
)
def test_a_list_shows_what_it_is_asked_for(anna, people, query, expected):
    assert shown(anna.get(f"/mailboxes/{query}")) == expected


def test_pages_by_fullness_follow_each_other_without_a_gap(world, anna, people, monkeypatch):
    monkeypatch.setattr("mailhost.web.paging.page_of.__defaults__", ("", 2))

    first = anna.get("/mailboxes/?sort=fullest")
    after = re.search(r'rel="next" href="([^"]+)"', first.content.decode())[1].replace("&amp;", "&")
    second = anna.get(f"/mailboxes/{after}")

    assert (shown(first), shown(second)) == (["anna", "carla"], ["ben"])


def test_selected_ones_are_suspended_and_that_is_undone(anna, people):
    answer = act(anna, "suspend", people["anna"], people["ben"], next="/mailboxes/?q=a")

    assert answer.redirect_chain == [("/mailboxes/?q=a", 302)]
    assert "1 mailbox was suspended. Its mail is kept." in answer.content.decode()
    assert [fresh(row).is_enabled for row in people.values()] == [False, False, True]

    answer = anna.post("/mailboxes/undo/", follow=True)

    # Ben was suspended before, and stays so.
    assert "1 mailbox works again." in answer.content.decode()
    assert [fresh(row).is_enabled for row in people.values()] == [True, False, True]
    assert "nothing left to undo" in anna.post("/mailboxes/undo/", follow=True).content.decode()


def test_undoing_a_size_gives_each_its_own_back(world, anna, people):
    update_mailbox(world.as_acme, mailbox=people["carla"], storage_quota_mb=300)

    answer = act(anna, "quota", *people.values(), storage_quota_mb="2 GB")
    assert "3 mailboxes have their new size." in answer.content.decode()
    assert {fresh(row).storage_quota for row in people.values()} == {2048}

    anna.post("/mailboxes/undo/")
    assert [fresh(row).storage_quota for row in people.values()] == [100, 100, 300]


def test_deleted_ones_go_to_the_bin_and_come_back(anna, people):
    act(anna, "delete", people["anna"], people["carla"])
    assert shown(anna.get("/mailboxes/")) == ["ben"]

    anna.post("/mailboxes/undo/")
    assert shown(anna.get("/mailboxes/")) == ["anna", "ben", "carla"]


def test_all_that_match_are_meant_where_that_is_asked(anna, people):
    act(anna, "delete", every="1", status="active")

    assert shown(anna.get("/mailboxes/")) == ["ben"]


@pytest.mark.parametrize(
    ("name", "more", "sentence"),
    [
        ("suspend", {"mailbox": []}, "Select at least one mailbox."),
        ("explode", {}, "Choose what to do with the selected mailboxes."),
        ("quota", {"storage_quota_mb": "a lot"}, "This is no size."),
        ("quota", {}, "Enter a size."),
        ("suspend", {"mailbox": ["ünïcode"]}, "Select at least one mailbox."),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(anna, people, name, more, sentence):
    answer = anna.post("/mailboxes/bulk/", {"act": name, "mailbox": [people["anna"].uid]} | more, follow=True)

    assert sentence in answer.content.decode()
    assert fresh(people["anna"]).is_enabled
    assert fresh(people["anna"]).storage_quota == 100


def test_who_may_only_read_selects_nothing_and_is_refused(world, people):
    rex = browser_of(world.acme, Role.READ_ONLY)

    assert 'name="mailbox"' not in rex.get("/mailboxes/").content.decode()
    assert rex.post("/mailboxes/bulk/", {"act": "delete", "mailbox": [people["anna"].uid]}).status_code == 403
    assert fresh(people["anna"]).deleted_at is None


def test_who_may_see_no_mailbox_sees_none_by_a_form_that_is_wrong(world, people):
    bill = browser_of(world.acme, Role.BILLING)
    anna, domain = people["anna"], people["anna"].domain
    forms = [
        reverse("mailbox-update", args=[anna.uid]),
        reverse("mailbox-password", args=[anna.uid]),
        reverse("domain-defaults", args=[domain.uid]),
        reverse("domain-delete", args=[domain.uid]),
    ]

    answers = [bill.post(form, {}) for form in forms]

    assert [answer.status_code for answer in answers] == [403] * len(forms)
    assert not any("anna@" in answer.content.decode() for answer in answers)


def test_a_strangers_mailbox_cannot_be_selected(world, people):
    answer = act(browser_of(world.bolt), "delete", people["anna"])

    assert "Select at least one mailbox." in answer.content.decode()
    assert fresh(people["anna"]).deleted_at is None


def test_an_export_holds_what_the_list_shows_and_no_formula(anna, people):
    answer = anna.get("/mailboxes/export.csv?status=active")

    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert answer["Content-Disposition"].startswith('attachment; filename="mailboxes-')
    assert [(row["email"], row["display_name"], row["storage_quota_mb"], row["used_mb"]) for row in rows] == [
        ("anna@acme.example", "'=Anna", "100", "90.0"),
        ("carla@acme.example", "", "100", "0.0"),
    ]


def test_an_export_of_the_selected_holds_these_alone(anna, people):
    answer = act(anna, "export", people["ben"])

    rows = list(csv.DictReader(answer.getvalue().decode().splitlines()))
    assert [(row["email"], row["status"]) for row in rows] == [("ben@acme.example", "suspended")]
