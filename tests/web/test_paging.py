"""Lists in pages: each row once, forwards and backwards, whatever changes meanwhile."""

import pytest

from domains.models import Domain
from mailhost.scope import tenant_scope
from mailhost.web.paging import page_of
from tests.world import World

KEYS = ("domain_name", "pk")


@pytest.fixture
def names(world: World) -> list[str]:
    names = [f"{letter}.example" for letter in "abcdefg"]
    with tenant_scope(world.acme.path):
        for name in names:
            Domain.objects.create(tenant=world.acme, domain_name=name)
        yield names


def shown(page) -> list[str]:
    return [domain.domain_name for domain in page]


def test_going_on_and_back_shows_each_row_once(names):
    first = page_of(Domain.objects.live(), KEYS, size=3)
    second = page_of(Domain.objects.live(), KEYS, first.next, size=3)
    third = page_of(Domain.objects.live(), KEYS, second.next, size=3)
    back = page_of(Domain.objects.live(), KEYS, third.previous, size=3)
    start = page_of(Domain.objects.live(), KEYS, back.previous, size=3)

    assert [shown(page) for page in (first, second, third)] == [names[:3], names[3:6], names[6:]]
    assert (first.previous, third.next) == ("", "")
    assert (shown(back), shown(start)) == (names[3:6], names[:3])
    # A cursor bears the second in which it was signed, so it is compared by where it leads.
    assert start.previous == ""
    assert shown(page_of(Domain.objects.live(), KEYS, start.next, size=3)) == names[3:6]


def test_a_new_row_does_not_show_another_one_twice(names, world):
    first = page_of(Domain.objects.live(), KEYS, size=3)
    Domain.objects.create(tenant=world.acme, domain_name="aa.example")

    assert shown(page_of(Domain.objects.live(), KEYS, first.next, size=3)) == names[3:6]


def test_descending_order(names):
    first = page_of(Domain.objects.live(), ("-pk",), size=4)
    second = page_of(Domain.objects.live(), ("-pk",), first.next, size=4)

    assert shown(first) + shown(second) == names[::-1]


def test_whoever_comes_back_to_deleted_rows_sees_the_first_page(names):
    second = page_of(Domain.objects.live(), KEYS, page_of(Domain.objects.live(), KEYS, size=3).next, size=3)
    Domain.objects.filter(domain_name__in=names[:3]).delete()

    assert shown(page_of(Domain.objects.live(), KEYS, second.previous, size=3)) == names[3:6]


@pytest.mark.parametrize("cursor", ["x", "ü", "WyJuIiwxXQ", "WyJuIixudWxsLHt9XQ:1vQ:forged", "::"])
def test_a_cursor_that_nobody_gave_out_leads_to_the_first_page(names, cursor):
    assert shown(page_of(Domain.objects.live(), KEYS, cursor, size=3)) == names[:3]


def test_a_cursor_of_another_list_leads_to_the_first_page(names):
    of_another = page_of(Domain.objects.live(), ("-pk",), size=3).next

    assert shown(page_of(Domain.objects.live(), KEYS, of_another, size=3)) == names[:3]


def test_a_page_is_one_statement(names, django_assert_num_queries):
    cursor = page_of(Domain.objects.live(), KEYS, size=3).next

    with django_assert_num_queries(1):
        page_of(Domain.objects.live(), KEYS, cursor, size=3)


@pytest.mark.parametrize("keys", [("-deleted_at", "-pk"), ("-domain_name", "pk")])
def test_a_cursor_of_another_order_leads_to_the_first_page(names, keys):
    elsewhere = page_of(Domain.objects.live(), KEYS, size=3).next

    assert shown(page_of(Domain.objects.live(), keys, elsewhere)) == shown(page_of(Domain.objects.live(), keys))
