"""Commands of booking: one public function a file. Each ends in `room_transaction`."""
