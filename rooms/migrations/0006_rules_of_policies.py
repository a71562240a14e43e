"""Hours belong to policies, every change of a rule moves the number, changes are kept for good."""

import django.db.models.deletion
from django.db import migrations, models

TABLES = ("policy", "openingexception", "exceptionperiod", "quota", "policyperson")
FORWARD = "\n".join(
    f"CREATE TRIGGER rooms_{table}_rules AFTER INSERT OR UPDATE OR DELETE ON rooms_{table}"
    " FOR EACH STATEMENT EXECUTE FUNCTION rooms_rules_changed();"
    for table in TABLES
)
BACKWARD = "\n".join(f"DROP TRIGGER rooms_{table}_rules ON rooms_{table};" for table in TABLES)
KEPT = """
CREATE FUNCTION rooms_policychange_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log of policy changes is append-only'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER rooms_policychange_append_only BEFORE UPDATE OR DELETE ON rooms_policychange
    FOR EACH ROW EXECUTE FUNCTION rooms_policychange_refuse_change();
"""
NOT_KEPT = """
DROP TRIGGER rooms_policychange_append_only ON rooms_policychange;
DROP FUNCTION rooms_policychange_refuse_change();
"""


class Migration(migrations.Migration):

    dependencies = [("rooms", "0005_hours_to_policies")]

    operations = [
        migrations.RemoveField(
            model_name='openinghours',
            name='room',
        ),
        migrations.AlterField(
            model_name='openinghours',
            name='policy',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='rooms.policy'),
        ),
        migrations.AddConstraint(
            model_name='openinghours',
            constraint=models.UniqueConstraint(fields=('policy', 'weekday', 'opens'), name='rooms_hours_period_once'),
        ),
        migrations.AddConstraint(
            model_name='openinghours',
            constraint=models.CheckConstraint(condition=models.Q(('weekday__gte', 0), ('weekday__lte', 6)), name='rooms_hours_weekday'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(KEPT, NOT_KEPT),
    ]
