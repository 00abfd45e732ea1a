"""What users and the server do, a module a subject: load, check, decide, append; looks down on `rules`."""
