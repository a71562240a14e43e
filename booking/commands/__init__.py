"""The commands of booking: one file per command. Each runs in `unit_of_work.run_in_rooms`."""
