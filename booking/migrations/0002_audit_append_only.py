"""The audit log refuses UPDATE and DELETE, whoever asks."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION booking_audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER booking_audit_append_only BEFORE UPDATE OR DELETE ON booking_auditentry
    FOR EACH ROW EXECUTE FUNCTION booking_audit_refuse_change();
"""
BACKWARD = """
DROP TRIGGER booking_audit_append_only ON booking_auditentry;
DROP FUNCTION booking_audit_refuse_change();
"""


class Migration(migrations.Migration):
    """Adds the trigger."""

    dependencies = [("booking", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
