"""`python -m tests.look`: pictures of every page in var/screenshots/, for people to look at."""

import sys

import pytest

if __name__ == "__main__":
    sys.exit(pytest.main(["tests/pages/pictures.py", "-q", *sys.argv[1:]]))
