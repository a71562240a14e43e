-- Bookings of many rooms within one interval, as one JSON document, earliest first.
-- $1: rooms, during, now. The members are the columns that `BookingData.from_row` reads.
WITH given AS MATERIALIZED (SELECT $1::jsonb AS of)
SELECT coalesce(json_agg(row_to_json(found)), '[]')::text
FROM (
    SELECT booking.id, room.uuid AS room, room_id, during, local_start, local_end, title,
           organizer_name, organizer_id, is_private, state, takes_slot, lapses_at,
           booking.created_at, attendees, version, group_id, series_id, recurrence_id, flags,
           external_uid
    FROM given, booking_booking AS booking JOIN rooms_room AS room ON room.id = booking.room_id
    WHERE booking.takes_slot AND booking.during && (given.of->>'during')::tstzrange
      AND booking.room_id = ANY((given.of->>'rooms')::bigint[])
      AND (booking.lapses_at IS NULL OR booking.lapses_at > (given.of->>'now')::timestamptz)
    ORDER BY booking.during, booking.id
) AS found
