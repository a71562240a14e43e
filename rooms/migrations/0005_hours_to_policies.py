"""The opening hours of each room become those of the room's policy."""

from django.db import migrations

FORWARD = """
INSERT INTO rooms_policy (room_id) SELECT DISTINCT room_id FROM rooms_openinghours;
UPDATE rooms_openinghours AS hours SET policy_id = policy.id, room_id = NULL
FROM rooms_policy AS policy WHERE policy.room_id = hours.room_id;
"""
# What an older version cannot say is dropped: hours of campus and buildings, second periods.
BACKWARD = """
UPDATE rooms_openinghours AS hours SET room_id = policy.room_id, policy_id = NULL
FROM rooms_policy AS policy WHERE policy.id = hours.policy_id;
DELETE FROM rooms_openinghours AS hours WHERE room_id IS NULL OR EXISTS (
    SELECT FROM rooms_openinghours AS first
    WHERE (first.room_id, first.weekday) = (hours.room_id, hours.weekday)
      AND (first.opens, first.id) < (hours.opens, hours.id));
"""


class Migration(migrations.Migration):
    """Moves the rows; on its own, for Postgres alters no table with changes pending on it."""

    dependencies = [("rooms", "0004_policies")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
