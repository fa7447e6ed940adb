"""Modules whose names scenarios read and change."""
