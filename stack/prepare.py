"""Bring a stack's database and static files up to date: `python -m stack.prepare`, with MAILHOST_ENV_FILE set.

One process for all, because each start of Django costs a second.
"""

import fcntl
import hashlib
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from stack.layout import CLONE


def main() -> None:
    django.setup()
    call_command("migrate", interactive=False, verbosity=0)
    # After migrate: the daemons may read single columns, which must exist to be granted.
    call_command("daemonusers")
    collect_static(Path(settings.STATIC_ROOT))


def collect_static(root: Path) -> None:
    """Collect the static files, unless they are those of this code already: compressing them takes seconds.

    All stacks of a clone share them, so one at a time.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = root / ".collected-from", static_fingerprint()
        if stamp.exists() and stamp.read_text() == wanted:
            return
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(wanted)


def static_fingerprint() -> str:
    """Return a digest of our static files and of the locked packages that bring others."""
    digest = hashlib.sha256((CLONE / "uv.lock").read_bytes())
    apps = [app for app in CLONE.glob("*/static") if app.parent.name != "var"]
    for folder in (CLONE / "mailhost/web/static", *apps):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(bytes(path.relative_to(CLONE)) + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
