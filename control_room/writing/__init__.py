"""The one process that writes the snapshot, and the past it keeps."""
