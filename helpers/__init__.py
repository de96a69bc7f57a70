"""What the lessons of Barks & Meows share, one module a station on the way from sound to number."""
