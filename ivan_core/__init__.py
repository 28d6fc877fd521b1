"""IVAN: what does a preference dataset really teach a reward model?"""

__version__ = "0.1.0"
