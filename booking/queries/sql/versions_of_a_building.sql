-- The instant, the version of all rules, and how many rooms the building has with the sum of their
-- versions. Every change of a booking or closure raises its rooms' versions; every change of a room's
-- name, capacity, place or rules raises the version of all rules; a room that is added is counted.
SELECT jsonb_build_array(
    coalesce(($1::jsonb->>'now')::timestamptz, clock_timestamp()),
    coalesce((SELECT version FROM rooms_rulesversion WHERE id = 1), 0), count(*), sum(other.schedule_version))::text
FROM rooms_room AS room
JOIN rooms_floor AS floor ON floor.id = room.floor_id
JOIN rooms_floor AS near ON near.building_id = floor.building_id
JOIN rooms_room AS other ON other.floor_id = near.id
WHERE room.uuid = ($1::jsonb->>'room')::uuid
