"""How a server is installed: what the guide and systemd's units say, beside what runs, is asked for and entered."""

import os
import re
import subprocess
import sys
from pathlib import Path

from cryptography.fernet import Fernet

from mailconfig.parameters import Parameters
from mailconfig.render import folders
from mailhost.background import DEFAULT_QUEUE, QUEUES

ROOT = Path(__file__).parents[2]
UNITS = {path.stem: path.read_text() for path in sorted((ROOT / "deploy/systemd").glob("*.service"))}
DROP_INS = {path.parent.name: path.read_text() for path in sorted((ROOT / "deploy/systemd").glob("*.d/*.conf"))}
GUIDE = (ROOT / "docs/install.md").read_text()
# Of further mail hosts, in the place of mailhost-signer.
ELSEWHERE = {"mailhost-signer-agent"}


def said(unit: str, name: str) -> str:
    [value] = re.findall(rf"^{name}=(.*)$", unit, re.MULTILINE)
    return value


def test_every_queue_has_a_unit_that_serves_it():
    served = {queue for unit in UNITS.values() for queue in re.findall(r"--queues (\S+)", unit)}

    assert served == {DEFAULT_QUEUE, *QUEUES.values()}


def test_the_guide_starts_every_unit():
    [started] = re.findall(r"^systemctl enable --now (mailhost-.*)$", GUIDE, re.MULTILINE)

    assert set(started.split()) == set(UNITS) - ELSEWHERE


def test_what_tells_systemd_something_does_so_as_root():
    """MariaDB's unit runs as mysql, and so would what is added to it; a refusal would be passed over."""
    command = said(DROP_INS["mariadb.service.d"], "ExecStartPost")

    assert command.startswith("-+/bin/systemctl ")


def test_the_panel_may_enter_the_folders_of_the_sockets_that_it_looks_at():
    web, parameters = UNITS["mailhost-web"], Parameters()
    made = folders(parameters)

    for socket in (parameters.milter_socket, parameters.guard_socket):
        folder = made[socket.parent]
        is_own = folder.owner == said(web, "User")
        assert is_own or folder.group in said(web, "SupplementaryGroups").split(), socket


def test_the_settings_that_the_guide_names_are_enough():
    """`manage.py check --deploy`, as the guide has it run, finds nothing wrong with them."""
    [block] = re.findall(r"^```\n(MAILHOST_SECRET_KEY=.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
    named = dict(re.findall(r"^(MAILHOST_\w+)=(\S*)", block, re.MULTILINE))
    keys = {name: Fernet.generate_key().decode() for name in ("MAILHOST_DKIM_KEYS", "MAILHOST_VAULT_KEYS")}
    settings = {name: value.replace("…", "k3-and-some-more-of-it" * 4) for name, value in named.items()} | keys

    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        check=False,
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | {name: settings[name] for name in named},
        capture_output=True,
        text=True,
    )

    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_installer_may_be_called_from_anywhere():
    for folder, command in ((ROOT.parent, f"{ROOT.name}/deploy/install.sh"), (ROOT / "deploy", "./install.sh")):
        called = subprocess.run([command, "nothing"], check=False, cwd=folder, capture_output=True, text=True)

        assert (called.returncode, called.stdout.partition(" (")[0]) == (2, "install: unknown part: nothing"), folder
