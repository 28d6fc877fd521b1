"""Two small reward models that ship with IVAN: linear heads on MiniLM embeddings of a reply."""
