"""Lists have a total order: what is alike is ordered by key."""

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0006_rules_of_policies'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='building',
            options={'ordering': ['name', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='closure',
            options={'ordering': ['starts_at', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='exceptionperiod',
            options={'ordering': ['opens', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='feature',
            options={'ordering': ['name', 'pk']},
        ),
        migrations.AlterModelOptions(
            name='openinghours',
            options={'ordering': ['weekday', 'opens', 'pk'], 'verbose_name_plural': 'opening hours'},
        ),
        migrations.AlterModelOptions(
            name='policy',
            options={'ordering': ['building__name', 'room__name', 'pk'], 'verbose_name_plural': 'policies'},
        ),
        migrations.AlterModelOptions(
            name='room',
            options={'ordering': ['floor__building', 'floor__level', 'name', 'pk']},
        ),
    ]
