"""The facts of the log and the rows that they come to, a module a subject; looks down on `base` alone."""
