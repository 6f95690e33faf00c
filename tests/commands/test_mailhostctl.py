"""An operator's commands: what they do, what they print, how they end."""

import json
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands, load_command_class

from accounts.models import ApiKey, User
from audit.models import Event
from dns.models import Signer
from mailhost.management.noun import Answering
from mailhost.scope import every_tenant
from tenants.models import Tenant
from tests.apiside import Caller
from tests.world import PASSWORD, fresh, make_world

ROOT = Path(__file__).parents[2]
UNKNOWN = "ten_" + "0" * 20


@pytest.fixture
def world(db):
    return make_world()


def said(*words, **options):
    """Return what a command answers with --json."""
    output = StringIO()
    call_command(*words, json=True, stdout=output, **options)
    return json.loads(output.getvalue())


def failure(*words) -> tuple[int, str]:
    """Return the exit code and the error's code."""
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command(*words, "--json", stderr=output)
    return ended.value.code, json.loads(output.getvalue())["error"]["code"]


def last_event() -> Event:
    with every_tenant("a test reads the record"):
        return Event.objects.latest("pk")


def test_the_first_operator_is_created_with_a_password_from_standard_input(db, monkeypatch):
    monkeypatch.setattr("sys.stdin", StringIO(f"{PASSWORD}\n"))

    answer = said("operator", "create", "otto@mailhost.example")

    user = User.objects.get(email=answer["email"])
    assert user.check_password(PASSWORD)
    with every_tenant("a test looks at its rows"):
        assert answer["tenant"] == f"ten_{Tenant.objects.get(parent=None).uid}"
    assert last_event().actor == "mailhostctl operator create"
    assert PASSWORD not in str(last_event().details)


def test_a_tenant_is_created_with_a_plan_suspended_and_resumed(world):
    plan = said("plan", "create", "Small", limit=["domains=3"])
    tenant = said("tenant", "create", "Corvo", below=f"ten_{world.rita.uid}")
    assert tenant in said("tenant", "list")
    assert plan in said("plan", "list")

    suspended = said("tenant", "suspend", tenant["id"], "--reason", "unpaid", "--blocks", "sending")
    assert (suspended["sign_in"], suspended["sending"]) == (True, False)
    assert last_event().actor == "mailhostctl tenant suspend"
    assert said("tenant", "resume", tenant["id"])["sending"] is True


def test_a_tenant_is_moved_deleted_restored_and_purged(world):
    acme, sela = f"ten_{world.acme.uid}", said("tenant", "create", "Sela", "--kind", "reseller")["id"]

    said("tenant", "move", acme, "--below", sela)
    with every_tenant("a test looks at its rows"):
        assert fresh(world.acme).parent.name == "Sela"
    deleted = said("tenant", "delete", acme)
    assert (deleted["sign_in"], deleted["restorable_until"] is None) == (False, False)
    assert deleted in said("tenant", "list")
    assert said("tenant", "restore", acme)["sign_in"] is True
    assert failure("tenant", "purge", acme) == (3, "not_found")
    said("tenant", "delete", acme)
    said("tenant", "purge", acme)

    assert last_event().actor == "mailhostctl tenant purge"
    assert acme not in {row["id"] for row in said("tenant", "list")}
    assert failure("tenant", "restore", acme) == (3, "not_found")


def test_a_key_is_created_shown_once_and_revoked(world):
    made = said("key", "create", f"ten_{world.acme.uid}", "Shop", "--scope", "domains:read")

    assert Caller(made["key"]).read("/me")["scopes"] == ["domains:read"]
    assert made["key"] not in str(said("key", "list"))
    said("key", "revoke", made["id"])
    with every_tenant("a test looks at its rows"):
        assert fresh(ApiKey.objects.get()).revoked_at is not None
    assert Caller(made["key"]).call("GET", "/me").status_code == 401


def test_signers_are_told_as_json_too(db):
    Signer.objects.create(name="mail2.mailhost.example")

    [told] = said("signers")

    assert told["name"] == "mail2.mailhost.example"
    assert told["state"]


# They run until they are stopped, or write a file that is JSON itself.
ANSWER_NOBODY = {"fromguard", "signer-agent", "openapi"}


def test_every_command_of_ours_takes_json():
    ours = {name for name, app in get_commands().items() if (ROOT / app).is_dir()} - ANSWER_NOBODY
    without = {name for name in ours if not issubclass(type(load_command_class(get_commands()[name], name)), Answering)}

    assert {"mailconfig", "daemonusers", "rotate_dkim_encryption", "signers", "tenant"} <= ours
    assert without == set()


def test_set_up_commands_answer_in_json(db, tmp_path):
    rendered = said("mailconfig", "render", "--only", "opendkim", "--to", str(tmp_path))

    assert {"path", "mode", "owner", "group"} == set(rendered[0])
    assert all(Path(one["path"]).is_file() for one in rendered)
    assert said("rotate_dkim_encryption") == {"reencrypted": 0}


def test_a_set_up_command_that_fails_says_so_in_json(db):
    missing = ("daemonusers", "--admin-socket", "/nowhere/mysqld.sock")

    assert failure(*missing) == (1, "database")
    assert failure("signers", "--forget", "mx9.mailhost.example") == (3, "not_found")


def test_what_is_not_there_ends_with_3(world):
    assert failure("tenant", "resume", UNKNOWN) == (3, "not_found")
    assert failure("key", "revoke", "key_" + "0" * 20) == (3, "not_found")
    assert failure("tenant", "create", "Corvo", "--plan", "pln_" + "0" * 20) == (3, "not_found")


def test_what_a_rule_refuses_ends_with_1_and_changes_nothing(world):
    assert failure("tenant", "resume", f"ten_{world.acme.uid}") == (1, "unchanged")
    assert failure("key", "create", f"ten_{world.acme.uid}", "Shop", "--scope", "all") == (1, "invalid_scope")
    assert failure("plan", "create", "Small", "--limit", "domains=many") == (1, "invalid_limit")
    with every_tenant("a test counts"):
        assert ApiKey.objects.count() == 0


def test_a_list_is_a_table_for_people(world, capsys):
    call_command("tenant", "list")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["id", "name", "kind", "sign_in", "sending", "receiving", "restorable_until"]
    assert any(
        line.split() == [f"ten_{world.acme.uid}", "Acme", "customer", "yes", "yes", "yes", "–"] for line in lines
    )


def test_the_script_says_what_it_lacks_where_there_are_no_settings():
    run = subprocess.run(
        [ROOT / "mailhostctl", "tenant", "list"], env={"PATH": "/usr/bin:/bin"}, capture_output=True, check=False
    )

    assert run.returncode == 1
    assert b"MAILHOST_ENV_FILE" in run.stderr
    assert b"Traceback" not in run.stderr


def test_the_script_runs_the_commands_and_hands_on_their_exit_code(stack):
    def run(*words):
        return subprocess.run([ROOT / "mailhostctl", *words], capture_output=True, text=True, check=False)

    assert run("tenant", "fly").returncode == 2
    assert run("tenant", "resume", UNKNOWN, "--json").returncode == 3
    assert isinstance(json.loads(run("tenant", "list", "--json").stdout), list)
