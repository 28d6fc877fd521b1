"""Prompts with several replies: which of them a model rewards most, beside chance and length."""
