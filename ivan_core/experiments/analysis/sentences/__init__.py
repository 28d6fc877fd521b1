"""What an analysis found, in sentences: never more than the rows and the labeler allow."""
