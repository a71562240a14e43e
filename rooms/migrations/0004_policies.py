"""One policy per scope. The hours of rooms are moved by the next two migrations."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('rooms', '0003_rules_version_and_divisions'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ExceptionPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('opens', models.TimeField()),
                ('closes', models.TimeField(help_text='00:00 is midnight at the end of the day.')),
            ],
            options={
                'ordering': ['opens'],
            },
        ),
        migrations.CreateModel(
            name='OpeningException',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_date', models.DateField()),
                ('last_date', models.DateField(help_text='The last day, inclusive.')),
                ('reason', models.CharField(max_length=100)),
                ('is_holiday', models.BooleanField(default=False)),
            ],
            options={
                'ordering': ['first_date', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('min_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('max_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('step_minutes', models.PositiveIntegerField(blank=True, help_text='Of lengths, and of starts from the opening time on.', null=True)),
                ('notice_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('advance_days', models.PositiveIntegerField(blank=True, null=True)),
                ('advance_mode', models.CharField(blank=True, choices=[('calendar_days', 'calendar days'), ('strict', 'strict')], max_length=20, null=True)),
                ('advance_measured_to', models.CharField(blank=True, choices=[('end', 'end'), ('start', 'start')], max_length=20, null=True)),
                ('late_start_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('gap_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('gap_may_leave_hours', models.BooleanField(blank=True, null=True)),
                ('one_booking_a_day', models.BooleanField(blank=True, null=True)),
                ('capacity_rule', models.CharField(blank=True, choices=[('ignore', 'ignore'), ('warn', 'warn'), ('refuse', 'refuse')], max_length=20, null=True)),
                ('bookable_by', models.CharField(blank=True, choices=[('everyone', 'everyone'), ('listed', 'listed'), ('managers', 'managers')], max_length=20, null=True)),
                ('approval', models.CharField(blank=True, choices=[('none', 'none'), ('always', 'always')], max_length=20, null=True)),
                ('pending_blocks', models.BooleanField(blank=True, null=True)),
                ('check_in_required', models.BooleanField(blank=True, null=True)),
                ('check_in_opens_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('check_in_grace_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('check_in_exempt_minutes', models.PositiveIntegerField(blank=True, help_text='Bookings this long need no check-in. 0: none is exempt.', null=True)),
                ('presence', models.CharField(blank=True, choices=[('checks_in', 'checks in'), ('warns', 'warns'), ('ignored', 'ignored')], max_length=20, null=True)),
                ('absence_minutes', models.PositiveIntegerField(blank=True, help_text='0: an empty room is never released.', null=True)),
                ('no_show_limit', models.PositiveIntegerField(blank=True, help_text='0: a series never loses the room.', null=True)),
                ('no_show_notice_days', models.PositiveIntegerField(blank=True, null=True)),
                ('series_limit', models.PositiveIntegerField(blank=True, null=True)),
                ('beyond_horizon', models.CharField(blank=True, choices=[('refuse', 'refuse'), ('truncate', 'truncate')], max_length=20, null=True)),
            ],
            options={
                'verbose_name_plural': 'policies',
                'ordering': ['building__name', 'room__name'],
            },
        ),
        migrations.CreateModel(
            name='PolicyChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('actor_name', models.CharField(max_length=100)),
                ('actor_user_id', models.UUIDField(null=True)),
                ('scope', models.CharField(db_index=True, max_length=60)),
                ('before', models.JSONField()),
                ('after', models.JSONField()),
            ],
            options={
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='PolicyPerson',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('booker', 'May book'), ('manager', 'Runs the rooms')], max_length=10)),
            ],
            options={
                'verbose_name_plural': 'policy people',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Quota',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('period', models.CharField(choices=[('day', 'day'), ('week', 'week'), ('month', 'month')], max_length=10)),
                ('max_count', models.PositiveIntegerField(blank=True, null=True)),
                ('max_minutes', models.PositiveIntegerField(blank=True, null=True)),
                ('week_starts', models.SmallIntegerField(blank=True, choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], default=0, null=True)),
                ('window_opens', models.TimeField(blank=True, null=True)),
                ('window_closes', models.TimeField(blank=True, help_text='00:00 is midnight at the end of the day.', null=True)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='openinghours',
            name='rooms_hours_once_a_day',
        ),
        migrations.AlterField(
            model_name='openinghours',
            name='room',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='rooms.room'),
        ),
        migrations.AddField(
            model_name='exceptionperiod',
            name='exception',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='periods', to='rooms.openingexception'),
        ),
        migrations.AddField(
            model_name='policy',
            name='building',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='policy', to='rooms.building'),
        ),
        migrations.AddField(
            model_name='policy',
            name='room',
            field=models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='policy', to='rooms.room'),
        ),
        migrations.AddField(
            model_name='openingexception',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exceptions', to='rooms.policy'),
        ),
        migrations.AddField(
            model_name='openinghours',
            name='policy',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='rooms.policy'),
        ),
        migrations.AddField(
            model_name='policyperson',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='people', to='rooms.policy'),
        ),
        migrations.AddField(
            model_name='policyperson',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='quota',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quotas', to='rooms.policy'),
        ),
        migrations.AddConstraint(
            model_name='exceptionperiod',
            constraint=models.UniqueConstraint(fields=('exception', 'opens'), name='rooms_period_once'),
        ),
        migrations.AddConstraint(
            model_name='exceptionperiod',
            constraint=models.CheckConstraint(condition=models.Q(('closes', '00:00'), ('closes__gt', models.F('opens')), _connector='OR'), name='rooms_period_close_after_open'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('building', None), ('room', None), _connector='OR'), name='rooms_policy_one_scope', violation_error_message='Choose a building or a room, or neither for the campus.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.UniqueConstraint(models.F('building'), models.F('room'), name='rooms_policy_campus_once', nulls_distinct=False, violation_error_message='This scope has a policy already.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('min_minutes', None), ('max_minutes', None), ('min_minutes__lte', models.F('max_minutes')), _connector='OR'), name='rooms_policy_min_below_max', violation_error_message='The shortest booking is longer than the longest.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('min_minutes', None), models.Q(('min_minutes__gte', 1), ('min_minutes__lte', 527040)), _connector='OR'), name='rooms_policy_min_minutes', violation_error_message='min_minutes: 1 to 527040, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('max_minutes', None), models.Q(('max_minutes__gte', 1), ('max_minutes__lte', 527040)), _connector='OR'), name='rooms_policy_max_minutes', violation_error_message='max_minutes: 1 to 527040, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('step_minutes', None), models.Q(('step_minutes__gte', 1), ('step_minutes__lte', 1440)), _connector='OR'), name='rooms_policy_step_minutes', violation_error_message='step_minutes: 1 to 1440, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('notice_minutes', None), models.Q(('notice_minutes__gte', 0), ('notice_minutes__lte', 527040)), _connector='OR'), name='rooms_policy_notice_minutes', violation_error_message='notice_minutes: 0 to 527040, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('advance_days', None), models.Q(('advance_days__gte', 0), ('advance_days__lte', 3660)), _connector='OR'), name='rooms_policy_advance_days', violation_error_message='advance_days: 0 to 3660, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('late_start_minutes', None), models.Q(('late_start_minutes__gte', 0), ('late_start_minutes__lte', 1440)), _connector='OR'), name='rooms_policy_late_start_minutes', violation_error_message='late_start_minutes: 0 to 1440, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('gap_minutes', None), models.Q(('gap_minutes__gte', 0), ('gap_minutes__lte', 1440)), _connector='OR'), name='rooms_policy_gap_minutes', violation_error_message='gap_minutes: 0 to 1440, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('check_in_opens_minutes', None), models.Q(('check_in_opens_minutes__gte', 0), ('check_in_opens_minutes__lte', 1440)), _connector='OR'), name='rooms_policy_check_in_opens_minutes', violation_error_message='check_in_opens_minutes: 0 to 1440, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('check_in_grace_minutes', None), models.Q(('check_in_grace_minutes__gte', 1), ('check_in_grace_minutes__lte', 1440)), _connector='OR'), name='rooms_policy_check_in_grace_minutes', violation_error_message='check_in_grace_minutes: 1 to 1440, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('check_in_exempt_minutes', None), models.Q(('check_in_exempt_minutes__gte', 0), ('check_in_exempt_minutes__lte', 527040)), _connector='OR'), name='rooms_policy_check_in_exempt_minutes', violation_error_message='check_in_exempt_minutes: 0 to 527040, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('absence_minutes', None), models.Q(('absence_minutes__gte', 0), ('absence_minutes__lte', 1440)), _connector='OR'), name='rooms_policy_absence_minutes', violation_error_message='absence_minutes: 0 to 1440, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('no_show_limit', None), models.Q(('no_show_limit__gte', 0), ('no_show_limit__lte', 100)), _connector='OR'), name='rooms_policy_no_show_limit', violation_error_message='no_show_limit: 0 to 100, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('no_show_notice_days', None), models.Q(('no_show_notice_days__gte', 0), ('no_show_notice_days__lte', 60)), _connector='OR'), name='rooms_policy_no_show_notice_days', violation_error_message='no_show_notice_days: 0 to 60, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('series_limit', None), models.Q(('series_limit__gte', 1), ('series_limit__lte', 1000)), _connector='OR'), name='rooms_policy_series_limit', violation_error_message='series_limit: 1 to 1000, or empty to inherit.'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('advance_mode', None), ('advance_mode__in', ['calendar_days', 'strict']), _connector='OR'), name='rooms_policy_advance_mode'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('advance_measured_to', None), ('advance_measured_to__in', ['end', 'start']), _connector='OR'), name='rooms_policy_advance_measured_to'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('capacity_rule', None), ('capacity_rule__in', ['ignore', 'warn', 'refuse']), _connector='OR'), name='rooms_policy_capacity_rule'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('bookable_by', None), ('bookable_by__in', ['everyone', 'listed', 'managers']), _connector='OR'), name='rooms_policy_bookable_by'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('approval', None), ('approval__in', ['none', 'always']), _connector='OR'), name='rooms_policy_approval'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('presence', None), ('presence__in', ['checks_in', 'warns', 'ignored']), _connector='OR'), name='rooms_policy_presence'),
        ),
        migrations.AddConstraint(
            model_name='policy',
            constraint=models.CheckConstraint(condition=models.Q(('beyond_horizon', None), ('beyond_horizon__in', ['refuse', 'truncate']), _connector='OR'), name='rooms_policy_beyond_horizon'),
        ),
        migrations.AddConstraint(
            model_name='openingexception',
            constraint=models.CheckConstraint(condition=models.Q(('last_date__gte', models.F('first_date')), ('last_date__lt', django.db.models.expressions.CombinedExpression(models.F('first_date'), '+', models.Value(datetime.timedelta(days=366))))), name='rooms_exception_dates', violation_error_message='The last date is the first or up to a year later.'),
        ),
        migrations.AddConstraint(
            model_name='policyperson',
            constraint=models.UniqueConstraint(fields=('policy', 'user', 'role'), name='rooms_person_once'),
        ),
        migrations.AddConstraint(
            model_name='policyperson',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['booker', 'manager'])), name='rooms_person_role'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.CheckConstraint(condition=models.Q(('max_count__isnull', False), ('max_minutes__isnull', False), _connector='OR'), name='rooms_quota_limits_something', violation_error_message='Say max_count, max_minutes or both.'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.CheckConstraint(condition=models.Q(('period__in', ['day', 'week', 'month'])), name='rooms_quota_period'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.CheckConstraint(condition=models.Q(('week_starts', None), models.Q(('week_starts__gte', 0), ('week_starts__lte', 6)), _connector='OR'), name='rooms_quota_week_starts'),
        ),
        migrations.AddConstraint(
            model_name='quota',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('window_closes', None), ('window_opens', None)), models.Q(('window_closes__isnull', False), ('window_opens__isnull', False), models.Q(('window_closes', '00:00'), ('window_closes__gt', models.F('window_opens')), _connector='OR')), _connector='OR'), name='rooms_quota_window', violation_error_message='A window has both ends, the second one later.'),
        ),
    ]
