"""However many sign in at one moment, few passwords are hashed at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, make_password

from mailboxes import passwords
from mailhost.hashers import AT_ONCE, few_at_once

SECRET = "correct horse battery staple"
PANEL, MAILBOX = make_password(SECRET), passwords.hash_password(SECRET)


@pytest.mark.parametrize(
    "hashes",
    [
        lambda: make_password(SECRET),
        lambda: check_password(SECRET, PANEL),
        lambda: passwords.hash_password(SECRET),
        lambda: passwords.verify(SECRET, MAILBOX),
    ],
    ids=["panel, new", "panel, checked", "mailbox, new", "mailbox, checked"],
)
def test_one_more_waits_for_those_before_it(hashes):
    for _ in range(AT_ONCE):
        few_at_once.acquire()
    waiting = threading.Thread(target=hashes)
    waiting.start()
    waiting.join(0.3)
    is_waiting = waiting.is_alive()
    for _ in range(AT_ONCE):
        few_at_once.release()
    waiting.join()

    assert is_waiting


def test_many_are_hashed_one_after_the_other_and_none_is_lost():
    with ThreadPoolExecutor(8) as people:
        told = list(people.map(lambda number: check_password(f"{SECRET}{number % 2 or ''}", PANEL), range(16)))

    assert told == [True, False] * 8
