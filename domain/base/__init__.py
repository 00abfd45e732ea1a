"""What every room speaks of: errors, actors, names, paths, boxes and messages; it looks at nothing but itself."""
