"""The pages of the room: each module draws one skeleton that the browser fills from the snapshot."""
