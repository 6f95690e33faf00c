"""Our app `dns` and the library dnspython share one package name: no file of ours may hide one of the library's."""

from importlib.metadata import files
from pathlib import Path

OURS = Path(__file__).resolve().parents[2] / "dns"


def names_in(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path.is_dir() and path.name[0] != "_")}


def test_no_module_of_ours_bears_a_name_of_dnspython():
    library = next(Path(file.locate()).parent for file in files("dnspython") if file.name == "resolver.py")

    shared = names_in(OURS) & names_in(library) - {"__init__"}

    assert shared == set()


def test_both_folders_make_up_the_package():
    import dns.resolver

    import dns.operations

    assert Path(dns.operations.__file__).parent == OURS
    assert Path(dns.resolver.__file__).parent != OURS
    assert str(OURS) in dns.__path__
