"""Live editing of the site's rule packs.

`packs` names and loads them, `book` knows which are in force and which wait, `edits` carries out the actions, `effects`
says what a change would hide, `folder` is the folder on the disk, and `editor` the thread that looks at it.
"""
