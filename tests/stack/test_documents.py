"""What the documents say of the stack and its dependencies is what the code says."""

import re
import tomllib

from stack.layout import CLONE
from stack.services import services
from stack.stack import Stack

PYPROJECT = tomllib.loads((CLONE / "pyproject.toml").read_text())


def table_names(text: str) -> set[str]:
    """Return what stands in the first column of the tables, one name each."""
    first = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {name.strip() for cell in first for name in cell.split(",")}


def test_every_python_dependency_has_its_line():
    wanted = [*PYPROJECT["project"]["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    names = {re.split(r"[><=]", requirement)[0] for requirement in wanted}

    assert names <= table_names((CLONE / "docs/dependencies.md").read_text())


def test_every_debian_package_has_its_line():
    script = (CLONE / "deploy/install.sh").read_text()
    lists = re.findall(r'^(?:SERVER|BUILD|DEMO)="([^"]+)"', script, re.MULTILINE)
    assert len(lists) == 3

    packages = {package for text in lists for package in text.split()}

    assert packages <= table_names((CLONE / "docs/dependencies.md").read_text())


def test_every_key_of_stack_json_is_explained(stack):
    documented = (CLONE / "docs/stack.md").read_text()

    assert [key for key in stack.info if f"`{key}" not in documented] == []


def test_every_service_is_explained(tmp_path):
    documented = table_names((CLONE / "docs/stack.md").read_text())
    stack = Stack("private-000000", say=print)
    stack.take()
    stack.configure()
    try:
        started = services(stack.home, stack.params, stack.ports, lambda name: False)
    finally:
        stack.down()
        stack.remove()

    assert {service.name for service in started} <= documented
