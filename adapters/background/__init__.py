"""What the server does by itself: policies that answer events or repeat a step, one a file, each in a loop of its own,
their jobs as they are shown, and the same work where a command asks for it (scan, rebuild, XMP)."""
