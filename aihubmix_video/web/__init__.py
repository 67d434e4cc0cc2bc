"""The page that people look at, as text and values: the live board and the static gallery share its cards.

cards        what one card shows
html         the pages, as HTML
forms        what a model takes, as the form on the board needs it
access       who may see a page that is served, and what a browser may do with it
asset_files  the text of the files in assets/
assets/      style and scripts, written by hand: no build step, nothing from elsewhere
"""
