"""Shapes that several resources show or take, and how they are made."""
