"""What the API itself remembers: the answers to POSTs that may be sent again."""

from django.db import models

from mailhost.fields import ExactCharField

MAX_NAME = 255


class IdempotencyKey(models.Model):
    """The answer to a POST that came with an `Idempotency-Key`, written in the transaction of its change: either
    both are there or neither. `answer` is encrypted with what the caller alone holds (mailhost.api.idempotency).
    """

    api_key_id = models.BigIntegerField()
    name = ExactCharField(max_length=MAX_NAME)
    fingerprint = models.CharField(max_length=64, db_collation="ascii_bin")
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    answer = models.TextField(default="")
    created_at = models.DateTimeField()

    class Meta:
        db_table = "api_idempotency_keys"
        constraints = [models.UniqueConstraint(fields=["api_key_id", "name"], name="idempotency_key_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_key_age")]

    def __str__(self) -> str:
        return self.name
