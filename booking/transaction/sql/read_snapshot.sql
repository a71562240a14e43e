-- Read all that a booking command needs for its decision, in one snapshot. $1 and the result are
-- JSON. $1: now (null: the database's clock), rooms, units, windows, person, asked, besides.
WITH given AS MATERIALIZED (
    SELECT $1::jsonb AS of
), here AS MATERIALIZED (
    SELECT coalesce((of->>'now')::timestamptz, clock_timestamp()) AS now,
           (of->>'rooms')::bigint[] AS rooms,
           (of->>'units')::int8multirange AS units,
           (of->>'windows')::tstzmultirange AS windows,
           (of->>'person')::uuid AS person,
           of->'asked' AS asked,
           (of->>'besides')::uuid[] AS besides
    FROM given
)
SELECT jsonb_build_array(
    here.now,
    coalesce((SELECT version FROM rooms_rulesversion WHERE id = 1), 0),
    (SELECT sum(schedule_version)::bigint FROM rooms_room WHERE id = ANY(here.rooms)),
    coalesce((SELECT version FROM booking_personledger WHERE user_id = here.person), 0),
    -- The bookings that take a part of the windows. The room is looked up for each booking found,
    -- because a join would read all rooms.
    (SELECT jsonb_agg(to_jsonb(booking) || jsonb_build_object(
         'room', (SELECT room.uuid FROM rooms_room AS room WHERE room.id = booking.room_id)))
     FROM booking_booking AS booking
     WHERE booking.takes_slot AND booking.units && here.units AND booking.during && here.windows),
    -- The due bookings: their `lapses_at` has come.
    (SELECT jsonb_agg(to_jsonb(booking) || jsonb_build_object(
         'room', (SELECT room.uuid FROM rooms_room AS room WHERE room.id = booking.room_id)))
     FROM booking_booking AS booking
     WHERE booking.lapses_at <= here.now AND booking.units && here.units),
    (SELECT jsonb_agg(jsonb_build_array(closure.room_id, closure.starts_at, closure.ends_at,
                                        closure.reason)
                      ORDER BY closure.starts_at, closure.id)
     FROM rooms_closure AS closure
     WHERE closure.room_id = ANY(here.rooms)
       AND tstzrange(closure.starts_at, closure.ends_at) && here.windows),
    EXISTS (SELECT FROM booking_waitingentry AS waiting
            WHERE waiting.closed_at IS NULL AND waiting.room_id = ANY(here.rooms)),
    -- The bookings and minutes of the person in each requested period. A booking counts in the
    -- period in which it begins; each minute counts in the period in which it lies. The conditions
    -- on organizer and bounds match the index booking_of_organizer.
    (SELECT jsonb_agg(usage) FROM (
        SELECT asked.number, used.*
        FROM jsonb_to_recordset(here.asked) AS asked (
            number int, period tstzrange, building_id bigint, room_id bigint, is_windowed boolean),
        LATERAL (
            SELECT
                count(*) FILTER (WHERE lower(booking.during) >= lower(asked.period)) AS count,
                coalesce(extract(epoch FROM sum(
                    least(upper(booking.during), upper(asked.period))
                    - greatest(lower(booking.during), lower(asked.period)))), 0) / 60 AS minutes,
                jsonb_agg(booking.during * asked.period)
                    FILTER (WHERE asked.is_windowed) AS intervals
            FROM booking_booking AS booking
            WHERE booking.organizer_id = here.person
                AND upper(booking.during) > lower(asked.period)
                AND lower(booking.during) < upper(asked.period)
                AND (booking.takes_slot OR booking.state = 'pending') AND booking.state <> 'held'
                AND (booking.lapses_at IS NULL OR booking.lapses_at > here.now)
                AND booking.id <> ALL(here.besides)
                AND (asked.building_id IS NULL OR booking.room_id IN (
                     SELECT room.id FROM rooms_room AS room
                     JOIN rooms_floor AS floor ON floor.id = room.floor_id
                     WHERE floor.building_id = asked.building_id))
                AND (asked.room_id IS NULL OR booking.room_id = asked.room_id)
        ) AS used
    ) AS usage)
)::text FROM here
