"""Django's admin: behind the panel's sign-in, for operators alone, for reading only."""

import pytest
from django.test import Client

from accounts.admin_site import site
from accounts.operations import create_user, set_second_factor
from mailhost.scope import every_tenant
from tenants.models import Member, Role
from tests.webside import plain_static, signed_in  # noqa: F401  plain_static is a fixture
from tests.world import PASSWORD, World, make_world

LISTS = ["/admin/", *(f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in site._registry)]


@pytest.fixture
def world(db, plain_static) -> World:  # noqa: F811  the fixture of that name
    return make_world()


def someone(world, tenant, role: str = Role.OWNER) -> Client:
    email = f"{role}@{tenant.name.lower()}.example"
    return signed_in(create_user(world.as_operator, tenant=tenant, email=email, role=role, password=PASSWORD).user)


@pytest.mark.parametrize("role", [Role.OWNER, Role.ADMIN])
def test_an_operator_reads_every_list(world, role):
    operator = someone(world, world.operator, role)

    for path in LISTS:
        assert operator.get(path).status_code == 200, path


def test_an_operator_reads_a_row_and_can_change_none(world):
    operator = someone(world, world.operator)
    with every_tenant("a test names a row"):
        member = Member.objects.get()
    path = f"/admin/tenants/member/{member.pk}/"

    page = operator.get(path).content.decode()

    assert "owner@mailhost.example" in page
    assert 'name="_save"' not in page
    assert operator.post(path, {"role": "support"}).status_code == 403
    with every_tenant("a test looks at the row"):
        assert Member.objects.get().role == Role.OWNER


@pytest.mark.parametrize("tenant", ["rita", "acme"])
def test_owners_of_other_tenants_are_refused(world, tenant):
    owner = someone(world, getattr(world, tenant))

    assert [owner.get(path).status_code for path in LISTS] == [403] * len(LISTS)


@pytest.mark.parametrize("role", [Role.SUPPORT, Role.READ_ONLY, Role.BILLING, Role.MAIL_MANAGER])
def test_lesser_roles_of_the_operator_are_refused(world, role):
    assert someone(world, world.operator, role).get("/admin/").status_code == 403


def test_nobody_is_led_to_the_panels_sign_in(world):
    assert Client().get("/admin/")["Location"] == "/sign-in/?next=/admin/"
    assert someone(world, world.operator).get("/admin/login/").status_code == 404


def test_the_second_factor_that_is_asked_for_is_asked_here_too(world):
    operator = someone(world, world.operator)
    set_second_factor(world.as_operator, second_factor="everybody")

    assert operator.get("/admin/")["Location"] == "/security/"


def test_no_hash_and_no_key_of_a_session_is_shown(world):
    operator = someone(world, world.operator)
    with every_tenant("a test names a row"):
        user = Member.objects.select_related("user").get().user

    page = operator.get(f"/admin/accounts/user/{user.pk}/").content.decode()

    assert user.email in page
    assert "argon2" not in page
