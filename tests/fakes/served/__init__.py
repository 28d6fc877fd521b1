"""Serving engines without a model, over real HTTP: vLLM, SGLang and text-embeddings-inference."""
