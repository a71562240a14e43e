"""Holds, series, waiting people, divisible rooms; local intent beside the instants.

`booking_set_units` makes the exclusion constraint independent of whoever writes: a booking takes
its room's units, always.
"""

import booking.domain.states
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models

UNITS = """
CREATE FUNCTION booking_set_units() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.units := (SELECT coalesce(units, int8range(id, id, '[]')) FROM rooms_room
                  WHERE id = NEW.room_id);
    RETURN NEW;
END $$;
CREATE TRIGGER booking_units BEFORE INSERT OR UPDATE OF room_id, units ON booking_booking
    FOR EACH ROW EXECUTE FUNCTION booking_set_units();
"""
WITHOUT_UNITS = """
DROP TRIGGER booking_units ON booking_booking;
DROP FUNCTION booking_set_units();
"""
FILL = """
UPDATE booking_booking AS booking SET
    room_id = room_id,
    takes_slot = state IN ('confirmed', 'checked_in'),
    lapses_at = CASE WHEN state = 'confirmed' THEN lapses_at END,
    local_start = to_char(lower(during) AT TIME ZONE building.timezone, 'YYYY-MM-DD"T"HH24:MI:SS'),
    local_end = to_char(upper(during) AT TIME ZONE building.timezone, 'YYYY-MM-DD"T"HH24:MI:SS')
FROM rooms_room AS room
JOIN rooms_floor AS floor ON floor.id = room.floor_id
JOIN rooms_building AS building ON building.id = floor.building_id
WHERE room.id = booking.room_id;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0002_audit_append_only'),
        ('rooms', '0003_rules_version_and_divisions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PersonLedger',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('version', models.BigIntegerField(default=1)),
            ],
        ),
        migrations.CreateModel(
            name='FeedToken',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('prefix', models.CharField(max_length=12)),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('created_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='Series',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('rule', models.CharField(max_length=500)),
                ('starts_local', models.CharField(max_length=19)),
                ('minutes', models.PositiveIntegerField()),
                ('timezone', models.CharField(max_length=64)),
                ('title', models.CharField(max_length=200)),
                ('organizer_name', models.CharField(max_length=100)),
                ('is_private', models.BooleanField(default=False)),
                ('attendees', models.PositiveIntegerField(blank=True, null=True)),
                ('external_uid', models.CharField(blank=True, max_length=255, null=True, unique=True)),
                ('version', models.PositiveIntegerField(default=1)),
                ('created_at', models.DateTimeField()),
            ],
            options={
                'verbose_name_plural': 'series',
            },
        ),
        migrations.CreateModel(
            name='SkippedDate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('recurrence_id', models.CharField(max_length=19)),
                ('code', models.CharField(help_text="The refusal's code, or 'excluded'.", max_length=40)),
                ('reason', models.CharField(max_length=300)),
            ],
            options={
                'ordering': ['recurrence_id'],
            },
        ),
        migrations.CreateModel(
            name='WaitingEntry',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('during', django.contrib.postgres.fields.ranges.DateTimeRangeField()),
                ('title', models.CharField(blank=True, max_length=200)),
                ('created_at', models.DateTimeField()),
                ('offered_at', models.DateTimeField(blank=True, null=True)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'ordering': ['created_at', 'id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='booking',
            name='booking_no_overlap',
        ),
        migrations.RemoveConstraint(
            model_name='booking',
            name='booking_state_known',
        ),
        migrations.RemoveIndex(
            model_name='booking',
            name='booking_awaiting_check_in',
        ),
        migrations.RenameField(
            model_name='booking',
            old_name='check_in_until',
            new_name='lapses_at',
        ),
        migrations.AddField(
            model_name='booking',
            name='attendees',
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='flags',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='booking',
            name='group_id',
            field=models.UUIDField(blank=True, help_text='One booking of several rooms.', null=True),
        ),
        migrations.AlterField(
            model_name='booking',
            name='lapses_at',
            field=models.DateTimeField(blank=True, help_text='Given back then unless somebody checks in or confirms.', null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='local_end',
            field=models.CharField(default='', max_length=26),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='booking',
            name='local_start',
            field=models.CharField(default='', help_text="As meant, in the room's zone.", max_length=26),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='booking',
            name='recurrence_id',
            field=models.CharField(blank=True, max_length=19, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='takes_slot',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='units',
            field=django.contrib.postgres.fields.ranges.BigIntegerRangeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='version',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AlterField(
            model_name='booking',
            name='state',
            field=models.CharField(choices=[('held', 'held'), ('pending', 'pending'), ('confirmed', 'confirmed'), ('checked_in', 'checked_in'), ('cancelled', 'cancelled'), ('rejected', 'rejected'), ('released', 'released'), ('lapsed', 'lapsed')], max_length=20),
        ),
        migrations.AddField(
            model_name='feedtoken',
            name='room',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='feed_tokens', to='rooms.room'),
        ),
        migrations.AddField(
            model_name='feedtoken',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feed_tokens', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='series',
            name='follows',
            field=models.ForeignKey(blank=True, help_text="The series this one was split from by a change of 'this and following'.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='followed_by', to='booking.series'),
        ),
        migrations.AddField(
            model_name='series',
            name='organizer',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='series', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='series',
            name='room',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='series', to='rooms.room'),
        ),
        migrations.AddField(
            model_name='booking',
            name='series',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='booking.series'),
        ),
        migrations.RunSQL(UNITS, WITHOUT_UNITS),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('lapses_at__isnull', False), ('takes_slot', True)), fields=['lapses_at'], name='booking_lapsing'),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(condition=models.Q(('group_id__isnull', False)), fields=['group_id'], name='booking_of_several_rooms'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('takes_slot', True)), expressions=[('units', '&&'), ('during', '&&')], name='booking_no_overlap'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.UniqueConstraint(fields=('series', 'recurrence_id', 'room'), name='booking_occurrence_once'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('state', 'pending'), models.Q(('state__in', [booking.domain.states.BookingState['CHECKED_IN'], booking.domain.states.BookingState['CONFIRMED'], booking.domain.states.BookingState['HELD']]), ('takes_slot', True)), models.Q(('takes_slot', False), models.Q(('state__in', [booking.domain.states.BookingState['CHECKED_IN'], booking.domain.states.BookingState['CONFIRMED'], booking.domain.states.BookingState['HELD'], booking.domain.states.BookingState['PENDING']]), _negated=True)), _connector='OR'), name='booking_slot_goes_with_state'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('units__isempty', False), ('units__isnull', False)), name='booking_has_units'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['held', 'pending', 'confirmed', 'checked_in', 'cancelled', 'rejected', 'released', 'lapsed'])), name='booking_state_known'),
        ),
        migrations.AddField(
            model_name='skippeddate',
            name='series',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skipped', to='booking.series'),
        ),
        migrations.AddField(
            model_name='waitingentry',
            name='offer',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='booking.booking'),
        ),
        migrations.AddField(
            model_name='waitingentry',
            name='room',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waiting', to='rooms.room'),
        ),
        migrations.AddField(
            model_name='waitingentry',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='waiting', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddIndex(
            model_name='feedtoken',
            index=models.Index(condition=models.Q(('revoked_at', None)), fields=['user'], name='booking_feed_of_person'),
        ),
        migrations.AddConstraint(
            model_name='skippeddate',
            constraint=models.UniqueConstraint(fields=('series', 'recurrence_id'), name='booking_skipped_date_once'),
        ),
        migrations.AddIndex(
            model_name='waitingentry',
            index=models.Index(condition=models.Q(('closed_at', None)), fields=['room', 'created_at'], name='booking_waiting_in_line'),
        ),
        migrations.AddConstraint(
            model_name='waitingentry',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('user', 'room', 'during'), name='booking_waiting_once'),
        ),
        migrations.AddConstraint(
            model_name='waitingentry',
            constraint=models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='booking_waiting_is_a_stretch'),
        ),
    ]
