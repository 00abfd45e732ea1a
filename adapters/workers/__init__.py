"""The processes in which decoders and models run, so that hostile bytes cost one task and not the server."""
