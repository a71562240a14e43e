"""Commands of identity: one public function per file."""
