"""Render, check, compare and apply the configuration of Postfix, Dovecot and OpenDKIM."""

import difflib
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from mailconfig import apply, check, files
from mailconfig.parameters import InvalidParameter, Parameters
from mailconfig.render import DAEMONS, File, render


class Command(BaseCommand):
    help = "Make the daemons' configuration files from the settings."

    def add_arguments(self, parser):
        parser.add_argument(
            "act",
            choices=("render", "check", "diff", "apply"),
            help="render: list the files, or write them below --to; check: ask the daemons' own tools about them;"
            " diff: what apply would change; apply: check, write, reload, and go back when that fails",
        )
        parser.add_argument("--only", default=",".join(DAEMONS), help="daemons, comma separated (all)")
        parser.add_argument("--to", type=Path, help="with render: the folder below which the files are written")

    def handle(self, **options):
        daemons = tuple(options["only"].split(","))
        if unknown := set(daemons) - set(DAEMONS):
            raise CommandError(f"--only knows {', '.join(DAEMONS)}, not {', '.join(sorted(unknown))}.")
        try:
            parameters = Parameters.from_settings()
            getattr(self, f"_{options['act']}")(parameters, daemons, options["to"])
        except (InvalidParameter, apply.ConfigurationRefused) as error:
            raise CommandError(str(error)) from error

    def _render(self, parameters: Parameters, daemons: tuple[str, ...], below: Path | None) -> None:
        for path, file in render(parameters, daemons).items():
            target = path if below is None else below / path.relative_to("/")
            if below is not None:
                target.parent.mkdir(parents=True, exist_ok=True)
                files.write(target, file)
            self.stdout.write(f"{file.mode:04o} {file.owner}:{file.group} {target}")

    def _check(self, parameters: Parameters, daemons: tuple[str, ...], _: Path | None) -> None:
        if complaints := check.problems(parameters, daemons):
            raise CommandError("\n".join(complaints.values()))
        self.stdout.write(f"{', '.join(daemons)}: the configuration is sound")

    def _diff(self, parameters: Parameters, daemons: tuple[str, ...], _: Path | None) -> None:
        for path, file in apply.changes(parameters, daemons).items():
            self.stdout.write("".join(self._compared(path, file)), ending="")

    def _compared(self, path: Path, file: File) -> list[str]:
        # What only a daemon may read is not shown on a screen.
        if not file.mode & 0o004:
            return [f"{path} differs; it holds secrets\n"]
        former = path.read_text() if path.exists() else ""
        lines = list(
            difflib.unified_diff(
                former.splitlines(keepends=True), file.text.splitlines(keepends=True), str(path), f"{path} (new)"
            )
        )
        return lines or [f"{path} has another owner or mode\n"]

    def _apply(self, parameters: Parameters, daemons: tuple[str, ...], _: Path | None) -> None:
        done = apply.apply(parameters, daemons)
        for path in done.written:
            self.stdout.write(f"written: {path}")
        for daemon in done.reloaded:
            self.stdout.write(f"reloaded: {daemon}")
        for daemon in done.stopped:
            self.stdout.write(f"does not run: {daemon}")
        if not done.written:
            self.stdout.write("nothing to change")
