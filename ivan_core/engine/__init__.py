"""What all experiments share: how runs begin, are found, cancelled, resumed, kept, handed on."""
