"""`make carga`: a rehearsal that publishes, loaded behind each server, and one verdict for all."""
