"""The names of positions: nearest places from packaged data, a Nominatim server, and a user's own from Apollo."""
