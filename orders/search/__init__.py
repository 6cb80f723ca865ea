"""Finding orders in the index: what can be asked, how people write it, and how it is answered.

query.py is what can be asked, folding.py what makes two spellings equal, language.py the box that
people type into, windows.py its dates, wording.py a query in words, recognition.py what is found
in pasted text. All of these are pure: no database, no settings, no clock.
"""
