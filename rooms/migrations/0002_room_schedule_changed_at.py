"""Rooms know when their schedule last changed, by Postgres' clock."""

from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    """Adds the column. Rows that are there get one instant, without a rewrite of the table."""

    dependencies = [("rooms", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="room",
            name="schedule_changed_at",
            field=models.DateTimeField(db_default=Now(), editable=False),
        ),
    ]
