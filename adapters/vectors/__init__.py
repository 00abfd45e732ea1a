"""The vectors of faces in memory: the nearest to one, who a face may be, and clusters of unassigned faces."""
