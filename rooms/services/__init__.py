"""Commands of rooms: one public function a file."""
