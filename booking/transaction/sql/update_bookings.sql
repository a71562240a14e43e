-- Change stored bookings and add their audit entries, raise the rooms' versions and notify the
-- workers. If an expected version has changed, store nothing. $1 and result: see
-- insert_bookings.sql.
WITH given AS MATERIALIZED (
    SELECT $1::jsonb AS of
), guard AS MATERIALIZED (
    SELECT (of->>'rooms')::bigint[] AS rooms, (of->>'version')::bigint AS version,
           (of->>'rules')::bigint AS rules, (of->>'person')::uuid AS person,
           (of->>'ledger')::bigint AS ledger, (of->>'now')::timestamptz AS now,
           of->'changes' AS changes
    FROM given
), bumped AS (
    UPDATE rooms_room SET schedule_version = schedule_version + 1,
                          schedule_changed_at = clock_timestamp()
    FROM guard
    WHERE rooms_room.id = ANY(guard.rooms)
      AND (guard.version IS NULL OR schedule_version = guard.version)
      AND coalesce((SELECT version FROM rooms_rulesversion WHERE id = 1), 0) = guard.rules
    RETURNING uuid
), counted AS (
    INSERT INTO booking_personledger AS ledger (user_id, version)
    SELECT person, 1 FROM guard WHERE person IS NOT NULL
    ON CONFLICT (user_id) DO UPDATE SET version = ledger.version + 1
        WHERE ledger.version = (SELECT ledger FROM guard) RETURNING version
), changes AS MATERIALIZED (
    SELECT change FROM guard, jsonb_array_elements(guard.changes) AS change
    WHERE (SELECT count(*) FROM bumped) = cardinality(guard.rooms)
      AND (guard.person IS NULL OR EXISTS (SELECT FROM counted))
), stored AS (
    UPDATE booking_booking AS booking SET (
        room_id, during, local_start, local_end, title, organizer_name, organizer_id, is_private,
        state, takes_slot, lapses_at, attendees, version, group_id, series_id, recurrence_id, flags,
        external_uid
    ) = (SELECT
        room_id, during, local_start, local_end, title, organizer_name, organizer_id, is_private,
        state, takes_slot, lapses_at, attendees, version, group_id, series_id, recurrence_id, flags,
        external_uid
        FROM jsonb_populate_record(NULL::booking_booking, change->'after'))
    FROM changes
    WHERE booking.id = (change->'after'->>'id')::uuid
      AND booking.version = (change->'before'->>'version')::int
    RETURNING booking.id
), audited AS (
    INSERT INTO booking_auditentry (at, actor_kind, actor_name, actor_user_id, command, reason,
                                    room_id, booking_id, before, after)
    SELECT guard.now, change->>'actor_kind', change->>'actor_name', (change->>'actor_id')::uuid,
           change->>'command', change->>'reason', (change->'after'->>'room_id')::bigint,
           stored.id, change->'before', change->'after'
    FROM guard, stored JOIN changes ON (change->'after'->>'id')::uuid = stored.id
)
SELECT jsonb_build_array(
    (SELECT count(*) FROM stored),
    (SELECT count(pg_notify('room_changed', uuid::text)) FROM bumped)
)::text
