"""An analysis as one page that opens anywhere: no scripts, no requests, no text unless asked."""
