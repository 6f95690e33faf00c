"""A job knows who discarded it, which stood at the beginning of its error before."""

from django.db import migrations, models

DISCARDED = "Discarded by "


def read_errors(apps, schema_editor):
    for job in apps.get_model("mailhost", "Job").objects.filter(error__startswith=DISCARDED):
        job.discarded_by, _, job.error = job.error.removeprefix(DISCARDED).partition(". ")
        job.save(update_fields=["discarded_by", "error"])


class Migration(migrations.Migration):
    dependencies = [("mailhost", "0002_job_request_id")]

    operations = [
        migrations.AddField("job", "discarded_by", models.CharField(db_default="", default="", max_length=254)),
        migrations.RunPython(read_errors, migrations.RunPython.noop),
    ]
