"""Small SQLite files beside the log, of what can always be made anew."""
