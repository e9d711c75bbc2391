"""What a scenario says, how its file is read, and the incidents laid over it."""
