"""Who scores, rewords, labels and compares texts: by name its way, its offer, checks, an adapter.

Nothing else reads a name's spelling. Importing these modules loads no model library.
"""
