"""Rename two constraints in place, without validating rows, and reword the help texts."""

import django.db.models.deletion
from django.db import migrations, models

RENAMED = [
    ('booking_booking', 'booking_during_is_a_stretch', 'booking_during_is_an_interval'),
    ('booking_waitingentry', 'booking_waiting_is_a_stretch', 'booking_waiting_is_an_interval'),
]


def rename(table, old, new):
    """Rename only the catalog entry: adding the constraint would scan the table under a lock."""
    return migrations.RunSQL(
        f'ALTER TABLE {table} RENAME CONSTRAINT {old} TO {new}',
        f'ALTER TABLE {table} RENAME CONSTRAINT {new} TO {old}',
    )


class Migration(migrations.Migration):

    dependencies = [
        ('booking', '0008_total_orders'),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[rename(*names) for names in RENAMED],
            state_operations=[
                migrations.RemoveConstraint(
                    model_name='booking',
                    name='booking_during_is_a_stretch',
                ),
                migrations.AddConstraint(
                    model_name='booking',
                    constraint=models.CheckConstraint(condition=models.Q(('during__isempty', False), ('during__lower_inf', False), ('during__upper_inf', False), ('during__lower_inc', True), ('during__upper_inc', False)), name='booking_during_is_an_interval'),
                ),
                migrations.RemoveConstraint(
                    model_name='waitingentry',
                    name='booking_waiting_is_a_stretch',
                ),
                migrations.AddConstraint(
                    model_name='waitingentry',
                    constraint=models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='booking_waiting_is_an_interval'),
                ),
            ],
        ),
        # Only help texts: these change no table.
        migrations.AlterField(
            model_name='booking',
            name='external_uid',
            field=models.CharField(blank=True, help_text='The UID of the event in the calendar that it was imported from.', max_length=255, null=True, unique=True),
        ),
        migrations.AlterField(
            model_name='booking',
            name='group_id',
            field=models.UUIDField(blank=True, help_text='The parts of one multi-room booking have the same value.', null=True),
        ),
        migrations.AlterField(
            model_name='booking',
            name='lapses_at',
            field=models.DateTimeField(blank=True, help_text='Frees the slot unless a check-in, approval or confirmation comes before.', null=True),
        ),
        migrations.AlterField(
            model_name='booking',
            name='local_start',
            field=models.CharField(help_text="The booked local time, in the room's time zone.", max_length=26),
        ),
        migrations.AlterField(
            model_name='series',
            name='follows',
            field=models.ForeignKey(blank=True, help_text="The series that a change of 'this and following' dates split this one from.", null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='followed_by', to='booking.series'),
        ),
        migrations.AlterField(
            model_name='series',
            name='withdraw_at',
            field=models.DateTimeField(blank=True, help_text='At this time the future dates are cancelled, because of no-shows.', null=True),
        ),
        migrations.AlterField(
            model_name='skippeddate',
            name='code',
            field=models.CharField(help_text="The error code of the refusal, or 'excluded'.", max_length=40),
        ),
    ]
