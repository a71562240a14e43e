

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0005_audit_of_devices'),
        ('rooms', '0006_rules_of_policies'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='booking',
            name='booking_lapsing',
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('lapses_at__isnull', False)), fields=['lapses_at'], name='booking_lapsing'),
        ),
    ]
