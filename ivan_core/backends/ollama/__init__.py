"""An Ollama server: what it is and has, and asking a model on it."""
