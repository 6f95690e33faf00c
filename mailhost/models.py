"""The outbox of background work: the row is the truth, the broker only a wake-up."""

from django.db import models

from mailhost.request_id import MAX_LENGTH as REQUEST_ID_LENGTH


class Job(models.Model):
    """One call of a task, written in the transaction of the change that asked for it."""

    task = models.CharField(max_length=120)
    arguments = models.JSONField(default=dict)
    queue = models.CharField(max_length=20)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, default="")
    # Who let it never run; it is finished then, too. The database's default is for processes of an earlier release.
    discarded_by = models.CharField(max_length=254, default="", db_default="")
    request_id = models.CharField(max_length=REQUEST_ID_LENGTH, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "background_jobs"
        indexes = [models.Index(fields=["finished_at", "due_at"], name="job_waiting")]

    def __str__(self) -> str:
        return f"{self.task}({', '.join(f'{key}={value}' for key, value in self.arguments.items())})"
