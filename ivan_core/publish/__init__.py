"""A dataset or scores of a run on the Hugging Face hub, with a card that tells what they are."""
