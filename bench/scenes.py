"""Photos whose captions, tags and places are known, and what somebody would look for who remembers none of the words.

A scene is told four times: as a caption in English, a caption in German, tags in English and tags in German. Its
queries, English and German, share no word with any of the four.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import NamedTuple


class Scene(NamedTuple):
    """What is on four photos, told four times, and two queries for it."""

    caption: str
    beschreibung: str
    tags: str
    stichworte: str
    query: str
    suche: str


class Spot(NamedTuple):
    """A place as the geocoder names it, and two queries for it."""

    place: str
    query: str
    suche: str


with Path(__file__).with_suffix(".csv").open(encoding="utf-8", newline="") as table:
    SCENES = tuple(Scene(**row) for row in csv.DictReader(table))
SPOTS = (
    Spot("Paris, Île-de-France, France", "the city with the Eiffel Tower", "Stadt mit dem Eiffelturm"),
    Spot("Venice, Veneto, Italy", "gondolas on the canals", "Gondeln auf Kanälen"),
    Spot("Zermatt, Valais, Switzerland", "the Matterhorn in the Alps", "Matterhorn in den Alpen"),
    Spot("Cairo, Muhafazat al Qahirah, Egypt", "pyramids and pharaohs", "Pyramiden und Pharaonen"),
    Spot("Tokyo, Tokyo, Japan", "Shibuya and sushi", "Shibuya und Sushi"),
    Spot("Rome, Lazio, Italy", "the Colosseum and the Vatican", "Kolosseum und Vatikan"),
    Spot("Sydney, New South Wales, Australia", "down under kangaroo country", "Land der Kängurus"),
    Spot("Reykjavík, Capital Region, Iceland", "geysers and northern lights", "Geysire und Polarlichter"),
)
ELSEWHERE = ("Munich, Bavaria, Germany", "Lisbon, Lisboa, Portugal", "Leeds, England, United Kingdom", "", "", "")
NAMES = ("Anna", "Bob", "Carla", "Deniz", "Emil", "Frieda", "Gustav", "Hanna")
