"""What people bring to an import, as it is read: encodings, separators, other programs' columns."""

import pytest

from mailboxes.import_table import MAX_ROWS, read_table
from mailhost.errors import Refused


def cells(data: bytes, kind: str = "mailboxes") -> list[dict[str, str]]:
    return [row.cells for row in read_table(data, kind).rows]


@pytest.mark.parametrize(
    "data",
    [
        "email,name\nanna@acme.example,Änne".encode(),
        "email;name\r\nanna@acme.example;Änne\r\n".encode("utf-8-sig"),
        "Username\tFull Name\nanna@acme.example\tÄnne".encode("utf-16"),
        "E-Mail|Description\nanna@acme.example|Änne".encode("cp1252"),
        'name,unknown,email\n"Änne",x,anna@acme.example'.encode(),
    ],
)
def test_encodings_separators_and_names_of_columns_are_found_out(data):
    assert cells(data) == [{"email": "anna@acme.example", "display_name": "Änne"}]


def test_lines_are_counted_as_an_editor_counts_them():
    data = b'email,name\n\na@acme.example,"two\nlines"\nb@acme.example,x\n'

    assert [(row.line, row.cells["email"]) for row in read_table(data, "mailboxes").rows] == [
        (3, "a@acme.example"),
        (5, "b@acme.example"),
    ]


def test_an_exported_cell_comes_back_as_it_was_and_a_password_as_it_is():
    assert cells(b"email,name,password\na@acme.example,'=SUM(A1),'=secret ") == [
        {"email": "a@acme.example", "display_name": "=SUM(A1)", "password": "'=secret "}
    ]


def test_columns_that_mean_nothing_to_us_are_named():
    assert read_table(b"email,quota,birthday\na@acme.example,5,x", "mailboxes").ignored == ["birthday"]


@pytest.mark.parametrize(
    "data",
    [
        b"sales@acme.example: anna@acme.example, ben@acme.example",
        b"sales@acme.example -> anna@acme.example ben@acme.example\n",
        b"sales@acme.example,anna@acme.example,ben@acme.example",
        b"source,targets\nsales@acme.example,anna@acme.example;ben@acme.example",
        b"goto;alias\nanna@acme.example ben@acme.example;sales@acme.example",
    ],
)
def test_aliases_are_read_however_they_are_written_down(data):
    [row] = cells(data, "aliases")

    assert row["source"] == "sales@acme.example"
    assert row["targets"].replace(",", " ").replace(";", " ").split() == ["anna@acme.example", "ben@acme.example"]


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "invalid_table", "nothing in it"),
        (b" \n \n", "invalid_table", "nothing in it"),
        (b"email,name\n", "invalid_table", "nothing below it"),
        (b"first,second\nx,y", "invalid_table", "No column is called “email”"),
        (b"anna@acme.example,Anna", "invalid_table", "must name the columns"),
        (b'email\n"anna', "invalid_table", "This is no table"),
        (b"email\n" + b"a@acme.example\n" * (MAX_ROWS + 1), "too_large", "20001 rows"),
        (b"x" * (5 * 1024 * 1024 + 1), "too_large", "more than 5 MB"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data, code, words):
    with pytest.raises(Refused) as refusal:
        read_table(data, "mailboxes")

    assert (refusal.value.code, refusal.value.field) == (code, "file")
    assert words in refusal.value.message
