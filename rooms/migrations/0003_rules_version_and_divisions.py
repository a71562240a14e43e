"""Divisible rooms, and the number that changes with every booking rule.

`rooms_rules_changed()` takes the number from a sequence, so a change that is rolled back never
leaves its number to another one.
"""

import django.contrib.postgres.fields.ranges
import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE SEQUENCE rooms_rules_number;
CREATE FUNCTION rooms_rules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO rooms_rulesversion (id, version) VALUES (1, nextval('rooms_rules_number'))
    ON CONFLICT (id) DO UPDATE SET version = excluded.version;
    RETURN NULL;
END $$;
CREATE TRIGGER rooms_room_rules
    AFTER UPDATE OF name, capacity, is_active, units, division_id, floor_id ON rooms_room
    FOR EACH STATEMENT EXECUTE FUNCTION rooms_rules_changed();
CREATE TRIGGER rooms_floor_rules AFTER UPDATE OF building_id ON rooms_floor
    FOR EACH STATEMENT EXECUTE FUNCTION rooms_rules_changed();
CREATE TRIGGER rooms_building_rules AFTER UPDATE OF timezone ON rooms_building
    FOR EACH STATEMENT EXECUTE FUNCTION rooms_rules_changed();
CREATE TRIGGER rooms_hours_rules AFTER INSERT OR UPDATE OR DELETE ON rooms_openinghours
    FOR EACH STATEMENT EXECUTE FUNCTION rooms_rules_changed();
"""
BACKWARD = """
DROP TRIGGER rooms_hours_rules ON rooms_openinghours;
DROP TRIGGER rooms_building_rules ON rooms_building;
DROP TRIGGER rooms_floor_rules ON rooms_floor;
DROP TRIGGER rooms_room_rules ON rooms_room;
DROP FUNCTION rooms_rules_changed();
DROP SEQUENCE rooms_rules_number;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0002_room_schedule_changed_at'),
    ]

    operations = [
        migrations.CreateModel(
            name='RulesVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.BigIntegerField()),
            ],
        ),
        migrations.AddField(
            model_name='room',
            name='division',
            field=models.ForeignKey(blank=True, editable=False, help_text='The undivided hall, for each room of a divisible one.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='rooms.room'),
        ),
        migrations.AddField(
            model_name='room',
            name='units',
            field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(blank=True, editable=False, null=True),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
