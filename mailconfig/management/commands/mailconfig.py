"""Render, check, compare and apply the configuration of Postfix, Dovecot and OpenDKIM."""

import difflib
from argparse import ArgumentTypeError
from pathlib import Path

from mailconfig import apply, check, files
from mailconfig.parameters import InvalidParameter, Parameters
from mailconfig.render import DAEMONS, File, render
from mailhost.errors import Refused
from mailhost.management.noun import Answering, Exit, Said


class Command(Answering):
    help = "Make the daemons' configuration files from the settings."

    def add_arguments(self, parser):
        super().add_arguments(parser)
        parser.add_argument(
            "act",
            choices=("render", "check", "diff", "apply"),
            help="render: list the files, or write them below --to; check: ask the daemons' own tools about them;"
            " diff: what apply would change; apply: check, write, reload, and go back when that fails",
        )
        parser.add_argument("--only", type=_daemons, default=DAEMONS, help="daemons, comma separated (all)")
        parser.add_argument("--to", type=Path, help="with render: the folder below which the files are written")

    def handle(self, **options):
        act = getattr(self, f"_{options['act']}")
        self.answer(lambda: self._with_parameters(act, options["only"], options["to"]), options["json"])

    def _with_parameters(self, act, daemons: tuple[str, ...], below: Path | None) -> Said:
        try:
            return act(Parameters.from_settings(), daemons, below)
        except InvalidParameter as error:
            raise Refused("invalid_parameter", "", str(error)) from error
        except apply.ConfigurationRefused as error:
            raise Refused("configuration_refused", "", str(error)) from error

    def _render(self, parameters: Parameters, daemons: tuple[str, ...], below: Path | None) -> Said:
        rendered = []
        for path, file in render(parameters, daemons).items():
            target = path if below is None else below / path.relative_to("/")
            if below is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                files.write(target, file)
            rendered.append({"path": str(target), "mode": f"{file.mode:04o}", "owner": file.owner, "group": file.group})
        return Said(rendered, "\n".join("{mode} {owner}:{group} {path}".format(**one) for one in rendered))

    def _check(self, parameters: Parameters, daemons: tuple[str, ...], _: Path | None) -> Said:
        complaints = check.problems(parameters, daemons)
        if complaints:
            return Said({"problems": complaints}, "\n".join(complaints.values()), Exit.FAULTS)
        return Said({"problems": {}}, f"{', '.join(daemons)}: the configuration is sound")

    def _diff(self, parameters: Parameters, daemons: tuple[str, ...], _: Path | None) -> Said:
        compared = {str(path): _compared(path, file) for path, file in apply.changes(parameters, daemons).items()}
        data = [{"path": path, "diff": diff} for path, diff in compared.items()]
        return Said(data, "".join(compared.values()).rstrip("\n") or "nothing to change")

    def _apply(self, parameters: Parameters, daemons: tuple[str, ...], _: Path | None) -> Said:
        done = apply.apply(parameters, daemons)
        written = [str(path) for path in done.written]
        data = {"written": written, "reloaded": done.reloaded, "does_not_run": done.stopped}
        lines = [f"{name.replace('_', ' ')}: {one}" for name, those in data.items() for one in those]
        return Said(data, "\n".join(lines if written else [*lines, "nothing to change"]))


def _daemons(text: str) -> tuple[str, ...]:
    daemons = tuple(text.split(","))
    if unknown := set(daemons) - set(DAEMONS):
        raise ArgumentTypeError(f"knows {', '.join(DAEMONS)}, not {', '.join(sorted(unknown))}")
    return daemons


def _compared(path: Path, file: File) -> str:
    # What only a daemon may read is not shown on a screen.
    if not file.mode & 0o004:
        return f"{path} differs; it holds secrets\n"
    former = path.read_text() if path.exists() else ""
    lines = difflib.unified_diff(
        former.splitlines(keepends=True), file.text.splitlines(keepends=True), str(path), f"{path} (new)"
    )
    return "".join(lines) or f"{path} has another owner or mode\n"
