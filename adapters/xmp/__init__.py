"""XMP as text: its RDF, and what it says of a photo. Neither files nor pictures are known here."""
