"""A real night driven again through the engine from its published files."""
