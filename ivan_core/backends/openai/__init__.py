"""OpenAI, and servers that speak as it does: accounts, chats, batches, errors, models."""
