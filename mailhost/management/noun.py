"""What all commands share: `--json`, exit codes (docs/commands.md), and, in `mailhostctl`, a noun and its verbs."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError

from mailhost.errors import Refused


class Exit(IntEnum):
    """What the shell is told. What argparse refuses is USAGE, too."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    FAULTS = 4


class NotFound(Exception):
    """What the command line names is not there. The message says what."""


@dataclass(frozen=True)
class Said:
    """What a verb answers: `data` for `--json`, `text` for people (made from `data` when there is none)."""

    data: Any
    text: str = ""
    exit: Exit = Exit.DONE


@dataclass(frozen=True)
class Verb:
    """A verb of a noun: what it does in a sentence, and its arguments as argparse takes them."""

    does: str
    arguments: tuple[tuple[str, dict[str, Any]], ...] = field(default=())


def verb(does: str, **arguments: dict[str, Any]) -> Callable:
    """Mark a method of a `Noun` as a verb. An argument whose options have `required`, `default` or `action` is named
    `--so` on the command line, any other stands by its position."""

    def decorate(method: Callable) -> Callable:
        method.verb = Verb(does, tuple(arguments.items()))  # type: ignore[attr-defined]
        return method

    return decorate


class Answering(BaseCommand):
    """A management command that answers people in words and programs in JSON, and says by its exit code how it went."""

    requires_system_checks: list[str] = []

    def add_arguments(self, parser) -> None:
        add_json(parser)

    def answer(self, act: Callable[[], Any], as_json: bool) -> None:
        """Do it and tell what it returns: data, or `Said`."""
        try:
            said = act()
        except NotFound as error:
            self._fail(Exit.NOT_FOUND, "not_found", "", str(error), as_json)
        except Refused as refused:
            code = Exit.NOT_FOUND if refused.code == "not_found" else Exit.FAILED
            self._fail(code, refused.code, refused.field, refused.message, as_json)
        except DatabaseError as error:
            self._fail(Exit.FAILED, "database", "", f"The database answers: {error}", as_json)
        else:
            self._say(said if isinstance(said, Said) else Said(said), as_json)

    def _say(self, said: Said, as_json: bool) -> None:
        text = json.dumps(said.data, indent=2, ensure_ascii=False) if as_json else said.text or plainly(said.data)
        self.stdout.write(text)
        if said.exit:
            sys.exit(said.exit)

    def _fail(self, exit_code: Exit, code: str, field: str, message: str, as_json: bool) -> None:
        said = json.dumps({"error": {"code": code, "field": field, "message": message}}, ensure_ascii=False)
        self.stderr.write(said if as_json else f"{field}: {message}" if field else message)
        sys.exit(exit_code)


class Noun(Answering):
    """A management command with verbs: `mailhostctl tenant suspend …`."""

    def add_arguments(self, parser) -> None:
        verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
        for name, method in self._verbs().items():
            one = verbs.add_parser(name, help=method.verb.does, description=method.verb.does)
            add_json(one)
            for argument, options in method.verb.arguments:
                named = not options.keys().isdisjoint({"required", "default", "action"})
                one.add_argument(f"--{argument.replace('_', '-')}" if named else argument, **options)

    def handle(self, *, verb: str, **options: Any) -> None:
        method = self._verbs()[verb]
        given = {name: options.get(name) for name, _ in method.verb.arguments}
        self.answer(lambda: method(**given), options.get("json", False))

    def _verbs(self) -> dict[str, Callable]:
        methods = {name: getattr(self, name) for name in dir(type(self)) if not name.startswith("__")}
        return {
            name.strip("_").replace("_", "-"): method for name, method in methods.items() if hasattr(method, "verb")
        }


def add_json(parser) -> None:
    parser.add_argument("--json", action="store_true", help="answer as JSON")


def plainly(data: Any) -> str:
    """Return an object as "name: value" lines, a list of objects as a table."""
    if isinstance(data, dict):
        width = max(map(len, data), default=0)
        return "\n".join(f"{name + ':':<{width + 1}} {_word(value)}" for name, value in data.items())
    if not data:
        return "nothing"
    table = [list(data[0]), *([_word(value) for value in row.values()] for row in data)]
    widths = [max(len(row[place]) for row in table) for place in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def _word(value: Any) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(_word, value)) if isinstance(value, (list, tuple)) else str(value)
