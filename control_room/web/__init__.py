"""The web side of the room: who may enter, what each may do, and the bytes they are given."""
