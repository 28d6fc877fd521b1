"""Things that exist: runs, labels, queues, texts, tables that tests begin with."""
