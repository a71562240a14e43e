"""Commands of realtime: one public function a file."""
