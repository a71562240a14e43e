"""Lists have a total order: what is alike is ordered by key."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0007_bookings_of_a_person_by_time'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='feedtoken',
            options={'ordering': ['-created_at', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='skippeddate',
            options={'ordering': ['recurrence_id', 'pk']},
        ),
    ]
