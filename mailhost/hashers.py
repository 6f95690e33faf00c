"""How panel passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Argon2id at the cost that mailbox passwords have (OWASP's 19 MiB, t=2, p=1): Django's own default takes
    100 MiB a check, which lets a few dozen sign-ins at once fill the memory."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1
