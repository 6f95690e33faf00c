"""How panel passwords are hashed, and how many hashes of any passwords are made at one time."""

import threading

from django.contrib.auth.hashers import Argon2PasswordHasher

# In one process; each takes 19 MiB, and a processor for as long as it lasts. More threads that hash than processors
# would only take memory, and time from all others.
AT_ONCE = 2
few_at_once = threading.BoundedSemaphore(AT_ONCE)


class Argon2idPasswordHasher(Argon2PasswordHasher):
    """Argon2id at the cost that mailbox passwords have (OWASP's 19 MiB, t=2, p=1): Django's own default takes
    100 MiB a check, which lets a few dozen sign-ins at once fill the memory."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with few_at_once:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        with few_at_once:
            return super().verify(password, encoded)
