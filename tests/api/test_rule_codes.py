"""The codes inside `errors` are listed in the document: all that the code writes, and none besides.

`tests.apiside.Caller` holds every answer of the test suite to the same list.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from rest_framework import serializers

from mailhost.api.rules import OF_RULES, OF_SHAPES, RULES
from mailhost.api.schema import document
from mailhost.errors import Refused

ROOT = Path(__file__).parents[2]
# Where nothing is refused that the API asks: pages and forms, commands, the guard's replies, the mailbox users' site.
ELSEWHERE = {
    *("web", "management", "guard", "mailconfig", "selfservice", "bench", "stack", "import_table.py"),
}
# What pages, invitations' links and profiles' links alone can be answered with.
OF_PAGES = {"expired", "nothing_to_do", "used", "running", "not_discarded", "not_receiving", "too_many_tests"}
KINDS = {"Refused", "InvalidParameter", "ErrorDetail", "TooManyLookups"}
FIELDS = (serializers.CharField, serializers.IntegerField, serializers.ChoiceField, serializers.ListField)
# Said of numbers that are written as text, which Whole refuses before.
NEVER = {"max_string_length"}


def sources() -> Iterator[Path]:
    """Return the files of our code."""
    for folder in ROOT.iterdir():
        if folder.name not in {"tests", ".venv", "var"} and folder.is_dir():
            yield from folder.rglob("*.py")


def written() -> Iterator[tuple[str, str]]:
    """Return every code that stands in the code as a constant, with its file."""
    for file in sources():
        path = file.relative_to(ROOT)
        if ELSEWHERE & set(path.parts):
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS:
                place = 1 if node.func.id in {"InvalidParameter", "ErrorDetail"} else 0
                code = node.args[place]
                if isinstance(code, ast.Constant):
                    yield code.value, str(path)


def test_every_code_that_a_rule_is_written_with_is_listed():
    unlisted = {(code, path) for code, path in written() if code not in RULES and code not in OF_PAGES}

    assert unlisted == set()


def test_every_listed_code_of_a_rule_is_written_somewhere():
    text = "\n".join(file.read_text() for file in sources() if file.name != "rules.py")

    assert [code for code in OF_RULES if f'"{code}"' not in text] == []
    assert OF_RULES.keys() & OF_SHAPES.keys() == set()


def test_every_code_of_the_shapes_fields_is_listed():
    messages = {
        code for field in FIELDS for kind in field.__mro__ for code in getattr(kind, "default_error_messages", {})
    }

    assert messages - NEVER <= OF_SHAPES.keys()


def test_the_document_lists_them_and_leaves_room_for_more():
    code = document()["components"]["schemas"]["InputError"]["properties"]["code"]

    assert code["anyOf"] == [{"type": "string", "enum": list(RULES)}, {"type": "string"}]
    for name, meaning in RULES.items():
        assert f"- `{name}`: {meaning}" in code["description"]


def test_the_page_lists_them(client):
    page = client.get("/api/docs").content.decode()

    assert all(f'<tr id="rule-{code}">' in page for code in RULES)


def test_a_subclass_of_a_refusal_is_known_here():
    # Whoever adds one adds it to KINDS, or its codes would be read by nobody.
    of_their_own = {"SeveralRefused", "NotPermitted", "Suspended", "Busy"}
    assert {kind.__name__ for kind in Refused.__subclasses__()} <= KINDS | of_their_own
