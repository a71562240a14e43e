"""Lists have a total order: what is alike is ordered by key."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('identity', '0002_devices'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='apitoken',
            options={'ordering': ['-created_at', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='user',
            options={'ordering': ['display_name', 'pk']},
        ),
    ]
