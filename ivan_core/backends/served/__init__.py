"""Reward models behind a server: vLLM, SGLang and text-embeddings-inference.

Tokenised here, scored there; what a server says is checked before it counts.
"""
