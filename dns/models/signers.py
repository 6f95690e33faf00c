"""How far each mail host's OpenDKIM is behind the keys."""

from django.db import models

from mailhost.fields import ExactCharField


class SigningGeneration(models.Model):
    """The number of the table set that every OpenDKIM should have loaded. One row.

    `wanted` grows with every change of keys or domains, in the transaction of the change.
    """

    wanted = models.PositiveBigIntegerField(default=0)
    wanted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"wanted {self.wanted}"


class SigningChange(models.Model):
    """Whose keys one generation changed, so that a signer that is few generations behind need not read all.

    Written in the transaction of the change, while it holds the generation's row: numbers appear in order.
    """

    generation = models.PositiveBigIntegerField(primary_key=True)
    # "": more than one domain, or nobody said which.
    domain_name = ExactCharField(max_length=253, default="")

    def __str__(self) -> str:
        return f"{self.generation}: {self.domain_name or 'any'}"


class Signer(models.Model):
    """One mail host's OpenDKIM: the generation of its files, the one that the running daemon has, and what is wrong."""

    name = ExactCharField(max_length=253, unique=True)
    written = models.PositiveBigIntegerField(default=0)
    written_at = models.DateTimeField(null=True)
    loaded = models.PositiveBigIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    domains = models.PositiveIntegerField(default=0)
    # When the last rewrites are paid off, one pause for each: until shortly before, further ones wait.
    paced_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=500, default="")
    failing_since = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
