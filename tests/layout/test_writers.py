"""No door changes rows by itself: pages, endpoints, tasks and commands call operations, which write the record."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.layout.test_homes import sources

DOOR_FILES = {"forms.py", "middleware.py", "receivers.py", "adapters.py", "admin_site.py", "tasks.py", "api_keys.py"}
DOOR_FOLDERS = {"web", "api", "management"}
WRITES = {
    *("save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete", "update"),
    *("execute", "executemany"),
}
# What is written there all the same, and why nobody has to find it in the record.
KNOWN = {
    ("accounts/api_keys.py", "note_use"): "when a key was used last; no act of anybody's",
    ("accounts/middleware.py", "note_seen"): "when a session was used last; no act of anybody's",
    ("accounts/forms.py", "save"): "django-allauth renames a passkey; accounts.ways_in records it",
    ("accounts/web/language.py", "choose"): "how pages are shown to one person",
    ("domains/tasks.py", "mail_notice"): "that a mail was sent; the act it tells of is in the record",
    ("selfservice/tasks.py", "forget_old_sessions"): "sign-ins that ended long ago",
    ("webhooks/tasks.py", "send_due"): "messages of more than thirty days",
    ("accounts/tasks.py", "forget_old_sessions"): "sessions whose time is over",
    ("longwork/tasks.py", "forget_old_works"): "work that ended long ago",
    ("mailhost/api/idempotency.py", "_claim"): "the answer to a request, kept for its repetition",
    ("mailhost/api/idempotency.py", "_keep"): "the answer to a request, kept for its repetition",
    ("mailhost/api/idempotency.py", "forget"): "the answer to a request, kept for its repetition",
    ("mailhost/api/idempotency.py", "_fingerprint"): "a digest, no row",
}


def is_door(path: Path) -> bool:
    is_page = path.name == "web.py" or path.name.endswith("_web.py")
    return is_page or path.name in DOOR_FILES | {"api.py"} or not DOOR_FOLDERS.isdisjoint(path.parts[:-1])


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def is_operation(function: ast.FunctionDef) -> bool:
    names = {getattr(decorator.func, "id", "") for decorator in function.decorator_list if hasattr(decorator, "func")}
    return "operation" in names


def writes(function: ast.FunctionDef) -> bool:
    called = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(one, ast.Attribute) and one.attr in WRITES for one in called)


def test_only_known_places_write_beside_the_operations():
    found = {
        (name, function.name)
        for name, tree in sources()
        if is_door(Path(name))
        for function in functions(tree)
        if writes(function) and not is_operation(function)
    }

    assert found == KNOWN.keys()
