"""Commands of identity: one public function a file."""
